"""SSH signatures: ours against ssh-keygen's, and every byte of them damaged."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from tests.approvals.keys import FileKey, HardwareKey, blob, envelope, mpint, preimage, text
from tidegate.errors import InputError
from tidegate.ledger import sshsig
from tidegate.ledger.sshsig import SshError, SshKey, armour, parse_key, unarmour, verify

MESSAGE = b"what is signed"
KINDS = [("ed25519", 0), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 2048)]


@pytest.fixture(scope="session")
def file_keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FileKey]:
    folder = tmp_path_factory.mktemp("keys")
    return {f"{kind}{bits}": FileKey.make(folder / f"{kind}{bits}", kind, bits) for kind, bits in KINDS}


def accepted_by_openssh(folder: Path, line: str, message: bytes, signature: bytes, namespace: str) -> bool:
    """What `ssh-keygen -Y verify` says of it."""
    allowed, written = folder / "allowed", folder / "signature"
    allowed.write_text(f"alice {line}\n")
    written.write_text(armour(signature))
    arguments = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", "alice", "-n", namespace, "-s", str(written)]
    return subprocess.run(arguments, input=message, capture_output=True, check=False).returncode == 0


def accepted_here(line: str, message: bytes, signature: bytes, namespace: str) -> bool:
    try:
        verify(message, signature, parse_key(line), namespace)
    except SshError:
        return False
    return True


@pytest.mark.parametrize("name", [f"{kind}{bits}" for kind, bits in KINDS])
def test_what_ssh_keygen_signs_is_accepted_and_nothing_else(
    file_keys: dict[str, FileKey], tmp_path: Path, name: str
) -> None:
    key = file_keys[name]
    signature = key.sign(MESSAGE)
    for message, namespace in ((MESSAGE, sshsig.NAMESPACE), (b"other", sshsig.NAMESPACE), (MESSAGE, "git")):
        theirs = accepted_by_openssh(tmp_path, key.line, message, signature, namespace)
        assert accepted_here(key.line, message, signature, namespace) == theirs
        assert theirs == ((message, namespace) == (MESSAGE, sshsig.NAMESPACE))
    assert parse_key(key.line).evidence == "ssh"
    listed = subprocess.run(["ssh-keygen", "-l", "-f", f"{key.path}.pub"], capture_output=True, check=True).stdout
    assert parse_key(key.line).fingerprint.encode() in listed.split()


def test_both_digests_are_read(file_keys: dict[str, FileKey]) -> None:
    key = file_keys["ed255190"]
    signature = key.sign(MESSAGE, sshsig.NAMESPACE, "-O", "hashalg=sha256")
    assert verify(MESSAGE, signature, parse_key(key.line)).counter == 0


@pytest.mark.parametrize("ecdsa", [False, True])
@pytest.mark.parametrize("flags", [1, 5])
def test_a_hardware_key_says_whether_it_verified_the_person(tmp_path: Path, ecdsa: bool, flags: int) -> None:
    key = HardwareKey.make(ecdsa=ecdsa)
    signature = key.sign(MESSAGE, flags=flags)
    made = verify(MESSAGE, signature, parse_key(key.line))
    assert (made.verified, made.counter) == (flags == 5, 7)
    assert parse_key(key.line).evidence == "sk-ssh"
    assert accepted_by_openssh(tmp_path, key.line, MESSAGE, signature, sshsig.NAMESPACE)


@pytest.mark.parametrize("ecdsa", [False, True])
def test_a_hardware_key_that_nobody_touched_does_not_count(ecdsa: bool) -> None:
    """`ssh-keygen -Y verify` takes such a signature: it does not look at the flags."""
    key = HardwareKey.make(ecdsa=ecdsa)
    signature = key.sign(MESSAGE, flags=4)
    with pytest.raises(SshError, match="nobody touched"):
        verify(MESSAGE, signature, parse_key(key.line))


@given(st.data())
def test_no_damaged_signature_is_accepted(data: st.DataObject) -> None:
    key = HardwareKey.make()
    signature = key.sign(MESSAGE)
    at = data.draw(st.integers(0, len(signature) - 1))
    damaged = bytearray(signature)
    damaged[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InputError):
        verify(MESSAGE, bytes(damaged), parse_key(key.line))
    for other in (signature[:at], signature + b"\0", signature[:at] + b"\0" + signature[at:]):
        with pytest.raises(InputError):
            verify(MESSAGE, other, parse_key(key.line))


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_parsers(junk: bytes) -> None:
    key = SshKey("ssh-ed25519", b"")
    for data in (junk, b"SSHSIG\0\0\0\1" + junk):
        with pytest.raises(InputError):
            verify(MESSAGE, data, key)
    for kind in ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com"):
        line = f"{kind} {base64.b64encode(text(kind.encode()) + junk).decode()}"
        try:
            parse_key(line)
        except InputError:
            continue
        assert kind == "ssh-ed25519"
        assert len(junk) == 36


def rsa_line(bits: int, exponent: int = 65537) -> str:
    public = rsa.generate_private_key(exponent, bits).public_key().public_numbers()
    return f"ssh-rsa {base64.b64encode(text(b'ssh-rsa') + mpint(public.e) + mpint(public.n)).decode()}"


def test_keys_that_do_not_approve_are_refused(tmp_path: Path) -> None:
    weak, small_exponent = rsa_line(1024), rsa_line(2048, 3)
    certificate = "ssh-ed25519-cert-v01@openssh.com " + base64.b64encode(b"anything").decode()
    site = HardwareKey.make(application=b"https://shop.example").line
    for line in (weak, small_exponent, certificate, site, "ssh-dss AAAA", "ssh-ed25519", "ssh-ed25519 ####", ""):
        with pytest.raises(SshError):
            parse_key(line)
    good = HardwareKey.make().line
    with pytest.raises(SshError):
        parse_key(good.replace("sk-ssh-ed25519@openssh.com", "ssh-ed25519"))


def test_a_signature_of_another_version_format_or_digest_is_refused(file_keys: dict[str, FileKey]) -> None:
    hardware = HardwareKey.make()
    signature = hardware.sign(MESSAGE)
    inner_at = signature.rindex(text(hardware.kind))
    inner = signature[inner_at:]
    key = parse_key(hardware.line)
    assert verify(MESSAGE, envelope(hardware.public, inner), key).counter == 7
    for changed in (
        envelope(hardware.public, inner, version=2),
        envelope(hardware.public, inner, hash_name="sha1"),
        envelope(hardware.public, inner.replace(hardware.kind, b"ssh-ed25519")),
        envelope(hardware.public, text(b"ssh-rsa") + text(b"x" * 64)),
    ):
        with pytest.raises(SshError):
            verify(MESSAGE, changed, key)
    old = file_keys["rsa2048"]
    made = old.sign(MESSAGE)
    with pytest.raises(SshError):
        verify(MESSAGE, made.replace(text(b"rsa-sha2-512"), text(b"ssh-rsa")), parse_key(old.line))
    assert preimage(MESSAGE).startswith(b"SSHSIG")
    assert blob(old.line).startswith(text(b"ssh-rsa"))


def test_the_armour_is_that_of_openssh(file_keys: dict[str, FileKey]) -> None:
    signature = file_keys["rsa2048"].sign(MESSAGE)
    assert unarmour(armour(signature)) == signature
    for text_ in ("", "-----BEGIN SSH SIGNATURE-----\n", armour(signature)[:-20], "x" * 100_000):
        with pytest.raises(SshError):
            unarmour(text_)
