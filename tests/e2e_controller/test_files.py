"""A certificate that another issuer writes into files, as cert-manager does, and replaces under writes."""

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from certs import CA, service_names
from tests.e2e_controller.permissions import NAME, NAMESPACE, SECRET
from tests.e2e_controller.release import VALIDATING, await_that, released
from tests.e2e_controller.test_rotation import writing
from tests.localcluster import LocalCluster
from webhook.controller.live_configurations import bundles_of

DAY = timedelta(days=1)


class Issuer:
    """Three files, and a CA that renews them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = b""

    @property
    def fields(self) -> dict[str, str]:
        """What the installation file says of them."""
        names = {"certFile": "tls.crt", "keyFile": "tls.key", "caFile": "ca.crt"}
        return {key: str(self.folder / name) for key, name in names.items()}

    def issue(self) -> None:
        """Write a certificate of a new CA, each file at once."""
        now = datetime.now(UTC)
        ca = CA.make(DAY, now)
        leaf = ca.sign(service_names(NAME, NAMESPACE), DAY, now)
        self.certificate = leaf.chain
        contents = {"tls.crt": leaf.chain, "tls.key": leaf.key, "ca.crt": ca.certificate}
        for name, content in contents.items():
            beside = self.folder / f"{name}.new"
            beside.write_bytes(content)
            os.replace(beside, self.folder / name)


def test_a_certificate_in_files_is_served_when_the_webhook_configurations_trust_it(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    issuer = Issuer(tmp_path)
    with released(cluster, tmp_path, source="files", **issuer.fields) as release:
        first = release.start()
        release.await_log(first, "tls.key: No such file or directory")
        await_that(lambda: "No such file" in first.get("/readyz")[1], "the reason in /readyz")
        issuer.issue()
        release.start()
        release.await_in_force()
        release.await_ready()
        before = issuer.certificate
        with writing(release) as outcomes:
            issuer.issue()
            renewed = ssl.PEM_cert_to_DER_cert(issuer.certificate.decode())
            await_that(lambda: all(each.certificate() == renewed for each in release.replicas), "renewed certificate")
            count = outcomes.total()
            await_that(lambda: outcomes.total() > count + 20, "writes")
        assert before != issuer.certificate
        assert set(outcomes) == {"judged"}, outcomes
        (bundle,) = bundles_of({"": release.read(VALIDATING) or {}})
        assert bundle.count(b"BEGIN CERTIFICATE") == 2
        assert not release.read(f"/api/v1/namespaces/{NAMESPACE}/secrets/{SECRET}")
