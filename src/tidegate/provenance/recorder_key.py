"""The key of this person's recorder, and the seal that it sets on a record.

A record in a repository's git directory is believed only with the seal of the reader's own key, which lies outside of
every repository: a repository that comes from elsewhere cannot bring records along. Nothing but the standard library
is imported, since hooks pay for what they import.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import blake2b

RECORDS = "tidegate/hooks/commits"
"""Below the git directory that all work trees share: one sealed record for each commit that was attributed."""
KEY_BYTES = 32


def key_file(environment: Mapping[str, str]) -> str:
    """Where the key lies: `$XDG_STATE_HOME/tidegate/recorder.key`, by default below `~/.local/state`."""
    state = environment.get("XDG_STATE_HOME", "")
    if not state.startswith("/"):
        state = environment.get("HOME", "") + "/.local/state"
    return f"{state}/tidegate/recorder.key" if state.startswith("/") else ""


def read_key(environment: Mapping[str, str]) -> bytes:
    """The key, b"" where there is none or it is damaged."""
    try:
        with open(key_file(environment), "rb") as file:  # noqa: PTH123 pathlib costs 8 ms
            key = file.read(KEY_BYTES + 1)
    except (OSError, ValueError):
        return b""
    return key if len(key) == KEY_BYTES else b""


def make_key(environment: Mapping[str, str]) -> bytes:
    """The key, made when there is none yet; b"" where none can be kept."""
    name = key_file(environment)
    if not name or (key := read_key(environment)):
        return key if name else b""
    fresh = f"{name}.{os.getpid()}"
    try:
        os.makedirs(name.rpartition("/")[0], mode=0o700, exist_ok=True)  # noqa: PTH103
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        os.write(descriptor, os.urandom(KEY_BYTES))
        os.close(descriptor)
        os.link(fresh, name)
    except OSError:
        pass
    finally:
        if os.path.exists(fresh):  # noqa: PTH110
            os.unlink(fresh)  # noqa: PTH108
    return read_key(environment)


def seal(record: str, key: bytes) -> str:
    """The keyed digest of a record, 64 hex digits."""
    return blake2b(record.encode("utf-8", "surrogateescape"), digest_size=32, key=key).hexdigest()
