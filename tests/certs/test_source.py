"""Certificates in files, as cert-manager and OpenShift's service CA write them and the kubelet mounts them."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from certs import Files, Leaf, Offer, self_signed
from tests.certs.build import CA_CERTIFICATE, DAY, NAME, Issued, named

ROOT, NEXT = Issued("root", CA_CERTIFICATE), Issued("next", CA_CERTIFICATE)
LEAF, RENEWED, FOLLOWING = (Issued("leaf", named(NAME), issuer=issuer).leaf() for issuer in (ROOT, ROOT, NEXT))
SHORT = Issued("leaf", named(NAME), issuer=ROOT, key=rsa.generate_private_key(65537, 1024)).leaf()
ALONE = self_signed([NAME], DAY)
FILES = ("tls.crt", "tls.key", "ca.crt")


class Mount:
    """A folder whose files are behind symlinks that change all at once, as in a pod."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._versions = folder, 0
        self.source = Files(*(folder / name for name in FILES))

    def put(self, *contents: bytes | None) -> None:
        """Show these files and no others; None stands for no file."""
        self._versions += 1
        version = self.folder / f"..version-{self._versions}"
        version.mkdir()
        for name, content in zip(FILES, contents, strict=True):
            if content is not None:
                (version / name).write_bytes(content)
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        (self.folder / "..data_tmp").symlink_to(version.name)
        os.replace(self.folder / "..data_tmp", self.folder / "..data")

    def offer(self, leaf: Leaf, bundle: bytes) -> Offer | None:
        """Show a leaf and a bundle, and return what the source offers then."""
        self.put(leaf.chain, leaf.key, bundle)
        return self.source.current()


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    return Mount(tmp_path)


def test_a_source_offers_nothing_and_says_why_until_there_are_files(mount: Mount) -> None:
    assert mount.source.current() is None
    assert mount.source.why_not() == "; ".join(f"{mount.folder}/{name}: No such file or directory" for name in FILES)
    assert mount.offer(SHORT, ROOT.pem) is None
    assert mount.offer(LEAF, ROOT.pem) == Offer(LEAF, ROOT.pem)
    assert mount.source.why_not() is None


BOTH = NEXT.pem + ROOT.pem
RENEWALS = {
    "by the same CA": [(RENEWED, ROOT.pem)],
    "by another CA that cert-manager writes at once": [(FOLLOWING, NEXT.pem)],
    "by another CA that OpenShift writes before its leaf": [(LEAF, BOTH), (FOLLOWING, BOTH)],
    "by another CA that OpenShift writes after its leaf": [(FOLLOWING, ROOT.pem), (FOLLOWING, BOTH)],
    "by itself, as cert-manager's self-signed issuer": [(ALONE, ALONE.chain)],
}


@pytest.mark.parametrize("renewals", RENEWALS.values(), ids=RENEWALS)
def test_renewals_are_followed_through_the_symlinks(mount: Mount, renewals: list[tuple[Leaf, bytes]]) -> None:
    for leaf, bundle in [(LEAF, ROOT.pem), *renewals]:
        assert mount.offer(leaf, bundle) == Offer(leaf, bundle)


BROKEN = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
UNUSABLE = "no certificate with its key that can be served"
INVALID: dict[str, tuple[tuple[bytes | None, ...], str, Leaf]] = {
    "no files": ((None, None, None), "No such file or directory", LEAF),
    "the new certificate beside the old key": (
        (RENEWED.chain, LEAF.key, ROOT.pem),
        "the key is not that of the certificate",
        LEAF,
    ),
    "half a key": ((LEAF.chain, RENEWED.key[:60], ROOT.pem), "the key is not a PEM private key", LEAF),
    "empty files": ((b"", b"", b""), "there is no certificate in PEM", LEAF),
    "half a bundle": ((LEAF.chain, LEAF.key, NEXT.pem[:200]), "/ca.crt: there is no certificate in PEM", LEAF),
    "a new leaf beside an empty bundle": ((RENEWED.chain, RENEWED.key, b""), "/ca.crt: there is no", RENEWED),
    "a broken certificate in the chain": ((LEAF.chain + BROKEN, LEAF.key, ROOT.pem), UNUSABLE, LEAF),
    "a key that is too short for OpenSSL": ((SHORT.chain, SHORT.key, ROOT.pem), UNUSABLE, LEAF),
}


@pytest.mark.parametrize(("files", "reason", "leaf"), INVALID.values(), ids=INVALID)
def test_the_last_valid_files_stay_in_use_while_some_are_invalid(
    mount: Mount, files: tuple[bytes | None, ...], reason: str, leaf: Leaf
) -> None:
    mount.offer(LEAF, ROOT.pem)
    mount.put(*files)
    assert mount.source.current() == mount.source.current() == Offer(leaf, ROOT.pem)
    assert reason in (mount.source.why_not() or "")
    assert mount.offer(FOLLOWING, NEXT.pem) == Offer(FOLLOWING, NEXT.pem)
    assert mount.source.why_not() is None


def test_nothing_is_parsed_while_no_byte_changed(mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    mount.offer(LEAF, ROOT.pem)
    monkeypatch.setattr("certs.source._checked", None)
    monkeypatch.setattr("certs.source.certificates", None)
    assert mount.offer(LEAF, ROOT.pem) == Offer(LEAF, ROOT.pem)
