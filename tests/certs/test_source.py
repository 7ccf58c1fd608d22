"""Certificates in files, as cert-manager and OpenShift's service CA write them and the kubelet mounts them."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from certs import Files, Leaf, Offer, Serving, self_signed
from tests.certs.build import CA_CERTIFICATE, DAY, MINUTE, NAME, NOW, SECOND, Issued, named

ROOT, NEXT = Issued("root", CA_CERTIFICATE), Issued("next", CA_CERTIFICATE)
LEAF, RENEWED, FOLLOWING = (Issued("leaf", named(NAME), issuer=issuer).leaf() for issuer in (ROOT, ROOT, NEXT))


class Mount:
    """A folder whose files are behind symlinks that change all at once, as in a pod."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._versions = folder, 0
        folder.mkdir()

    def put(self, **files: bytes) -> None:
        """Show these files and no others; ``_`` stands for a dot."""
        self._versions += 1
        version = self.folder / f"..version-{self._versions}"
        version.mkdir()
        for name, content in files.items():
            path = name.replace("_", ".", 1)
            (version / path).write_bytes(content)
            if not (self.folder / path).is_symlink():
                (self.folder / path).symlink_to(f"..data/{path}")
        (self.folder / "..data_tmp").symlink_to(version.name)
        os.replace(self.folder / "..data_tmp", self.folder / "..data")

    def pair(self, leaf: Leaf, **files: bytes) -> None:
        """Show a leaf, and further files."""
        self.put(tls_crt=leaf.chain, tls_key=leaf.key, **files)


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    return Mount(tmp_path / "tls")


def cert_manager(mount: Mount) -> Files:
    """Return a source that reads a Secret of cert-manager."""
    return Files(*(mount.folder / name for name in ("tls.crt", "tls.key", "ca.crt")))


def test_a_source_offers_nothing_and_says_why_until_there_are_files(mount: Mount) -> None:
    files = cert_manager(mount)
    assert files.current() is None
    assert files.why_not() == (
        f"{mount.folder}/tls.crt: No such file or directory; {mount.folder}/tls.key: No such file or directory; "
        f"{mount.folder}/ca.crt: No such file or directory"
    )
    mount.pair(LEAF, ca_crt=ROOT.pem)
    assert files.current() == Offer(LEAF, ROOT.pem)
    assert files.why_not() is None


def test_renewals_are_followed_through_the_symlinks(mount: Mount) -> None:
    files = cert_manager(mount)
    for leaf, bundle in ((LEAF, ROOT.pem), (RENEWED, ROOT.pem), (FOLLOWING, NEXT.pem), (LEAF, ROOT.pem + NEXT.pem)):
        mount.pair(leaf, ca_crt=bundle)
        assert files.current() == Offer(leaf, bundle)


INVALID: dict[str, tuple[dict[str, bytes | None], str]] = {
    "no files": (dict.fromkeys(("tls_crt", "tls_key", "ca_crt")), "No such file or directory"),
    "the new certificate beside the old key": ({"tls_crt": RENEWED.chain}, "the key is not that of the certificate"),
    "half a key": ({"tls_key": RENEWED.key[:60]}, "the key is not a PEM private key"),
    "empty files": ({"tls_crt": b"", "tls_key": b"", "ca_crt": b""}, "there is no certificate in PEM"),
    "half a bundle": ({"ca_crt": NEXT.pem[:200]}, "/ca.crt: there is no certificate in PEM"),
    "a broken certificate in the chain": (
        {"tls_crt": LEAF.chain + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        "no certificate with its key that can be served",
    ),
}


@pytest.mark.parametrize(("files", "reason"), INVALID.values(), ids=INVALID)
def test_the_last_valid_files_stay_in_use_while_some_are_invalid(
    mount: Mount, files: dict[str, bytes | None], reason: str
) -> None:
    valid = {"tls_crt": LEAF.chain, "tls_key": LEAF.key, "ca_crt": ROOT.pem}
    mount.put(**valid)
    source = cert_manager(mount)
    assert source.current() == Offer(LEAF, ROOT.pem)
    mount.put(**{name: content for name, content in {**valid, **files}.items() if content is not None})
    assert source.current() == source.current() == Offer(LEAF, ROOT.pem)
    assert reason in (source.why_not() or "")
    mount.pair(FOLLOWING, ca_crt=NEXT.pem)
    assert source.current() == Offer(FOLLOWING, NEXT.pem)
    assert source.why_not() is None


def test_a_new_leaf_is_used_though_the_bundle_beside_it_is_invalid(mount: Mount) -> None:
    mount.pair(LEAF, ca_crt=ROOT.pem)
    files = cert_manager(mount)
    files.current()
    mount.pair(RENEWED, ca_crt=b"")
    assert files.current() == Offer(RENEWED, ROOT.pem)


def test_a_key_that_is_too_short_for_openssl_is_not_offered(mount: Mount) -> None:
    short = Issued("leaf", named(NAME), issuer=ROOT, key=rsa.generate_private_key(65537, 1024)).leaf()
    mount.pair(short, ca_crt=ROOT.pem)
    files = cert_manager(mount)
    assert files.current() is None
    assert "no certificate with its key that can be served" in (files.why_not() or "")


def test_nothing_is_parsed_while_no_byte_changed(mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    mount.pair(LEAF, ca_crt=ROOT.pem)
    files = cert_manager(mount)
    files.current()
    monkeypatch.setattr("certs.source._checked", None)
    monkeypatch.setattr("certs.source.certificates", None)
    mount.pair(LEAF, ca_crt=ROOT.pem)
    assert files.current() == Offer(LEAF, ROOT.pem)


def test_when_openshift_rotates_its_service_ca_the_new_leaf_is_served_once_all_trust_it(tmp_path: Path) -> None:
    secret, config_map = Mount(tmp_path / "tls"), Mount(tmp_path / "ca")
    files = Files(secret.folder / "tls.crt", secret.folder / "tls.key", config_map.folder / "service-ca.crt")
    serving = Serving(MINUTE, NAME)

    def look(configured: bytes, later: int) -> Leaf | None:
        offer = files.current()
        assert offer
        serving.offer(offer.leaf)
        serving.observe([configured, configured], NOW + later * SECOND)
        return serving.current()

    secret.pair(LEAF)
    config_map.put(**{"service-ca_crt": ROOT.pem})
    assert look(ROOT.pem, 0) == LEAF
    secret.pair(FOLLOWING)
    assert look(ROOT.pem, 10) == LEAF
    config_map.put(**{"service-ca_crt": NEXT.pem + ROOT.pem})
    assert look(ROOT.pem, 20) == LEAF
    assert files.current() == Offer(FOLLOWING, NEXT.pem + ROOT.pem)
    assert look(NEXT.pem + ROOT.pem, 30) == LEAF
    assert look(NEXT.pem + ROOT.pem, 89) == LEAF
    assert look(NEXT.pem + ROOT.pem, 90) == FOLLOWING
    assert serving.why_not() is None


def test_a_self_signed_issuer_of_cert_manager_is_trusted_by_its_leaf(mount: Mount) -> None:
    alone = self_signed([NAME], DAY)
    mount.pair(alone, ca_crt=alone.chain)
    assert cert_manager(mount).current() == Offer(alone, alone.chain)
