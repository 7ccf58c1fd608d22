"""With no process of the webhook, what cannot add a violation passes, and the rest is denied."""

from collections.abc import Iterator

import pytest

from tests.build import Object
from tests.e2e.admission.conftest import Site
from tests.e2e.admission.writes import WRITES, Write


@pytest.fixture(scope="module")
def prepared(site: Site) -> Iterator[dict[str, Object]]:
    """What each write concerns, stored before the process ended."""
    found = {write.name: write.make(site) for write in WRITES}
    site.installation.stop()
    yield found
    site.installation.start()


@pytest.mark.parametrize("write", WRITES, ids=str)
def test_what_the_webhook_would_validate_is_denied_and_all_else_passes(
    site: Site, prepared: dict[str, Object], write: Write
) -> None:
    done, output = write.act(site, prepared[write.name])
    validated = any(path == "/validate" for path, *_ in write.calls)
    assert (done, "failed calling webhook" in output) == (not validated, validated), output
