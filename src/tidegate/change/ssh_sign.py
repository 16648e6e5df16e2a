"""Has OpenSSH sign with a person's key: one in a file, one that ssh-agent holds, or one that hardware keeps.

`ssh-keygen` asks for passphrases, PINs and touches at the terminal itself; none of it comes here.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tidegate.errors import InputError
from tidegate.ledger.sshsig import NAMESPACE, SshError, SshKey, parse_key, unarmour

TIMEOUT_SECONDS = 180
_LONGEST_KEY_FILE = 20_000


def read_public_key(path: Path) -> SshKey:
    """The public key of a key file, or of its `.pub`. Raises InputError where it is not there."""
    public = path if path.suffix == ".pub" else path.with_name(f"{path.name}.pub")
    try:
        with public.open(encoding="utf-8") as stream:
            return parse_key(stream.read(_LONGEST_KEY_FILE))
    except (OSError, UnicodeDecodeError) as error:
        mend = f"make it: ssh-keygen -y -f {path} > {public}"
        raise InputError("the public key cannot be read", where=f"--key {public}", mend=mend) from error


def agent_keys(environment: Mapping[str, str]) -> tuple[SshKey, ...]:
    """The keys that ssh-agent holds, those of other kinds left out; none where there is no agent."""
    if "SSH_AUTH_SOCK" not in environment or shutil.which("ssh-add") is None:
        return ()
    done = _run(["ssh-add", "-L"], b"")
    found = []
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        try:
            found.append(parse_key(line))
        except SshError:
            continue
    return tuple(found)


def sign(message: bytes, key: SshKey, path: Path | None) -> bytes:
    """The SSHSIG blob over the message. Without a `path` ssh-agent holds the key. InputError where nobody signs."""
    if shutil.which("ssh-keygen") is None:
        raise InputError("ssh-keygen is not installed", mend="install OpenSSH 8.1 or later")
    with tempfile.TemporaryDirectory(prefix="tidegate-sign-") as folder:
        public = Path(folder) / "key.pub"
        public.write_text(f"{key.line}\n", encoding="ascii")
        named = public if path is None else path
        done = _run(["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(named)], message)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise InputError(
            f"the key did not sign: {said[-1] if said else 'no reason given'}",
            where=str(path or "ssh-agent"),
            mend="check it: ssh-add -L, or name it with --key FILE",
        )
    return unarmour(done.stdout.decode("ascii", "replace"))


# Private


def _run(arguments: list[str], message: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        # The arguments are ours, and the path is one that the person at this terminal named.
        return subprocess.run(  # noqa: S603
            arguments, input=message, capture_output=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"the key did not sign within {TIMEOUT_SECONDS} s", mend="touch it when it blinks") from error
