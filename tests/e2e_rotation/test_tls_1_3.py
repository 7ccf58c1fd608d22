"""Where the chart's values say so, nothing older than TLS 1.3 is spoken."""

import ssl

import pytest

from tests.e2e_rotation.conftest import Site
from tests.e2e_rotation.handshakes import shake, speaking

pytestmark = pytest.mark.cluster


def test_tls_1_2_is_denied_and_api_servers_have_every_vm_evaluated(site: Site) -> None:
    denied = pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION")
    with site.released({"tls": {"minVersion": "1.3"}}) as release, release.load(), denied:
        shake(release.address, speaking(ssl.TLSVersion.TLSv1_2))
