"""Fetching into a bare repository of our own: the one verb of git that speaks to another machine.

Nothing that is fetched is believed or run: git checks every object, knows one protocol, follows no redirect, has no
hook, no submodule, no credential helper and no configuration but ours. The credential of a fetch travels in the
environment of that one process: it is never an argument, which every account of the machine can read, nor on disk.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

from tidegate.change import git_dir as git_dirs
from tidegate.errors import GitError, InputError

OLDEST_GIT = (2, 38)
"""`merge-tree --write-tree`; the others want 2.31, which first took configuration from its environment."""
Fault: TypeAlias = Literal["missing", "damaged", "large", "slow", "unreachable", "conflict"]


class FetchError(GitError):
    """Why nothing was fetched. `fault` missing: the other side has no such ref or commit; damaged: what it sent is."""

    def __init__(self, what: str, fault: Fault, *, where: str) -> None:
        super().__init__(what, where=where, mend=_MENDS[fault])
        self.fault = fault


class Source(Struct, frozen=True):
    """Where to fetch from. `header` is `Authorization: ...` or empty; it is never shown."""

    url: str
    header: str = ""
    protocols: frozenset[str] = frozenset(("https",))

    def __repr__(self) -> str:
        return f"Source({self.url})"


class Bounds(Struct, frozen=True):
    """What one command may use: wall seconds, and bytes of any one file that it writes."""

    seconds: float = 600.0
    file_bytes: int = 8 << 30


def require_git() -> tuple[int, int]:
    """The version of git. InputError where it is older than what a service needs."""
    said = subprocess.run(  # noqa: S603 a program of an absolute folder, and one word
        [git_dirs.find_git(), "--version"], capture_output=True, check=False, timeout=60
    ).stdout
    found = re.search(rb"([0-9]+)\.([0-9]+)", said)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version < OLDEST_GIT:
        raise InputError(
            f"git {version[0]}.{version[1]} is too old for a service", mend="install git 2.38 or later on this machine"
        )
    return version


def make_mirror(mirror: Path, url: str, object_format: str = "sha1") -> None:
    """An empty bare repository without hooks that says where it is from. Harmless where it is there already."""
    mirror.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if git_dirs.looks_like_git_dir(mirror):
        return
    _git(mirror, ("init", "--quiet", "--bare", "--template=", f"--object-format={object_format}", str(mirror)), ())
    if urlsplit(url).scheme in ("https", "http") and re.fullmatch(r"[\w:/.~-]+", url, re.ASCII):
        _git(mirror, ("config", "remote.origin.url", url), ())


def fetch(mirror: Path, source: Source, refspecs: Sequence[str], bounds: Bounds, keep_open: Iterable[int] = ()) -> None:
    """Brings refs and all that they reach. FetchError says what stood in the way.

    `keep_open` are descriptors that git inherits: a lock that is held as long as git lives, even after its parent.
    """
    scheme = urlsplit(source.url).scheme
    if scheme not in source.protocols:
        raise FetchError(f"{scheme or 'this'} is no way to fetch here", "unreachable", where=_shown(source.url))
    arguments = (
        *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
        *("--no-recurse-submodules", "--no-show-forced-updates", "--end-of-options", source.url, *refspecs),
    )
    extra = {"GIT_ALLOW_PROTOCOL": ":".join(sorted(source.protocols)), **_configuration(source)}
    code, said = _git(mirror, arguments, keep_open, extra, bounds, ok=None)
    if code:
        raise FetchError(*_fault(code, said, bounds), where=_shown(source.url))


def tidy(mirror: Path, bounds: Bounds, keep_open: Iterable[int] = ()) -> bool:
    """Packs anew and forgets what nothing reached for two weeks. False where that was not done in time."""
    arguments = ("gc", "--quiet", "--prune=2.weeks.ago")
    return _git(mirror, arguments, keep_open, {}, bounds, ok=None)[0] == 0


def drop_refs(mirror: Path, refs: Iterable[str]) -> None:
    """Takes refs away, so that others can stand in their place."""
    lines = "".join(f"delete {ref}\n" for ref in refs).encode()
    _git(mirror, ("update-ref", "--stdin"), (), stdin=lines)


# Private

_MENDS: Mapping[Fault, str] = {
    "missing": "the branch or the commit was taken away: read the change again",
    "damaged": "mend the repository at its forge: git fsck names the objects",
    "large": "raise the bound, or take large files out of the repository",
    "slow": "try again, or raise the bound",
    "unreachable": "see that the forge can be reached from here and that the credential is right",
    "conflict": "a branch stands where a folder of branches was: try again",
}
_PASSED = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "GIT_SSL_CAINFO")
_OLD_MISTAKES = ("badTimezone", "missingSpaceBeforeDate", "zeroPaddedFilemode")
"""What old tools wrote into many a public history. It is harmless, and nobody can mend it any more."""


def _configuration(source: Source) -> dict[str, str]:
    """Configuration through the environment: the only place where the credential is."""
    settings = {
        "fetch.fsckObjects": "true",
        "transfer.fsckObjects": "true",
        **{f"fetch.fsck.{name}": "ignore" for name in _OLD_MISTAKES},
        "fetch.unpackLimit": "1",
        "fetch.recurseSubmodules": "false",
        "core.hooksPath": os.devnull,
        "credential.helper": "",
        "http.followRedirects": "false",
        "http.lowSpeedLimit": "1000",
        "http.lowSpeedTime": "60",
        "pack.threads": "1",
        "protocol.version": "2",
    }
    if source.header:
        settings[f"http.{source.url}.extraHeader"] = source.header
    named = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        named |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return named


def _git(
    mirror: Path,
    arguments: Sequence[str],
    keep_open: Iterable[int],
    extra: Mapping[str, str] = {},
    bounds: Bounds | None = None,
    *,
    stdin: bytes = b"",
    ok: tuple[int, ...] | None = (0,),
) -> tuple[int, str]:
    """Git's exit code (-1: it was ended for being slow) and the end of what it complained of."""
    limits = bounds or Bounds(seconds=120)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 no shell, and what others named stands after --end-of-options
            [git_dirs.find_git(), "--no-pager", "-c", "safe.directory=*", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env={**_environment(mirror), **extra},
            cwd=mirror.parent,
            pass_fds=tuple(keep_open),
            start_new_session=True,
        )
        with suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))
        try:
            process.communicate(stdin, timeout=limits.seconds)
            code = process.returncode
        except subprocess.TimeoutExpired:
            code = -1
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(max(0, said.seek(0, os.SEEK_END) - 4096))
        text = said.read(4096).decode("utf-8", "backslashreplace")
    if ok is not None and code not in ok:
        raise GitError(f"git {arguments[0]} failed: {text.strip()[:200]}", where=str(mirror))
    return code, text


def _environment(mirror: Path) -> dict[str, str]:
    return {
        "PATH": git_dirs.safe_path(),
        "HOME": os.devnull,
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_DIR": str(mirror),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": os.devnull,
        **{name: os.environ[name] for name in _PASSED if name in os.environ},
    }


def _fault(code: int, said: str, bounds: Bounds) -> tuple[str, Fault]:
    if code == -1:
        return f"the fetch took longer than {bounds.seconds:g} s", "slow"
    if "couldn't find remote ref" in said or "not our ref" in said or "unadvertised object" in said:
        return "the forge has no such branch or commit", "missing"
    if "fsck error" in said or "invalid object" in said or "index-pack failed" in said or "corrupt" in said:
        return f"what the forge sent is damaged ({_reason(said)})", "damaged"
    if "invalid index-pack output" in said or "File too large" in said or code == -signal.SIGXFSZ:
        return f"what would be fetched is larger than {bounds.file_bytes >> 20} MB", "large"  # index-pack was ended
    if "cannot lock ref" in said or "unable to update local ref" in said:
        return "a branch is in the way of another", "conflict"
    return f"the fetch failed ({_reason(said)})", "unreachable"


def _reason(said: str) -> str:
    """The line that says why. Addresses are left out: a forge may have put something secret into one."""
    lines = [line for line in said.splitlines() if line.startswith(("fatal:", "error:"))] or ["no reason given"]
    return re.sub(r"\b[a-z+]+://\S+", "the forge", lines[0].partition(":")[2].strip() or lines[0])[:200]


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
