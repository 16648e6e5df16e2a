"""Bare mirrors of the repositories that the service looks after: fetched under a lock, never checked out.

One folder for each machine: workers of one machine share its mirrors, others have their own. A mirror holds nothing
that a forge does not have, so it may be thrown away at any time.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from tidegate.change.git import Repository, open_repository
from tidegate.change.git_fetch import Bounds, FetchError, Source, drop_refs, fetch, make_mirror, require_git, tidy
from tidegate.errors import InputError
from tidegate.server.config import Config
from tidegate.server.forge.values import CloneFrom

MOST_PACKS = 60
"""Every fetch adds a pack, and every object is looked for in all of them."""
TIDY_SECONDS = 900.0
LOCK_SECONDS = 900.0


class Wanted(Struct, frozen=True):
    """The ends of a change. `number` 0: no change of a forge, but the commit `head` itself (of a merge queue)."""

    forge: str
    slug: str
    target: str
    number: int
    head: str


class Brought(Struct, frozen=True):
    """A mirror that holds the head, and where the target branch stands now."""

    path: Path
    tip: str


class Mirrors(Struct, frozen=True):
    """All mirrors of this machine, under `root`. `protocols` besides https are for forges on this very machine."""

    root: Path
    protocols: frozenset[str] = frozenset(("https",))
    bounds: Bounds = Bounds()

    def bring(self, wanted: Wanted, source: CloneFrom) -> Brought:
        """Fetches the ends of a change. FetchError where that fails: `missing` where the head is gone meanwhile."""
        mirror = self.path_of(wanted.forge, wanted.slug)
        refs = _refs(wanted)
        came_from = Source(source.url, source.header, self._protocols(source.url))
        with self._locked(mirror) as lock:
            _sweep(mirror)
            make_mirror(mirror, source.url)
            self._fetch(mirror, came_from, [f"+{ref}:{ref}" for ref in refs], lock)
            with open_repository(mirror, bare=True) as repository:
                tip = repository.find(f"refs/heads/{wanted.target}")
                here = repository.exists(wanted.head)
            if not here:
                kept = f"refs/tidegate/{wanted.number or 'last'}"
                self._fetch(mirror, came_from, [f"+{wanted.head}:{kept}"], lock)
            if not tip:
                raise FetchError("the target branch is not there", "missing", where=wanted.slug)
            if len(list((mirror / "objects" / "pack").glob("*.pack"))) > MOST_PACKS:
                tidy(mirror, Bounds(TIDY_SECONDS, self.bounds.file_bytes), (lock,))
        return Brought(mirror, tip)

    def path_of(self, forge: str, slug: str) -> Path:
        """Where the mirror of a repository is. InputError for a name that no forge gives."""
        parts = slug.split("/")
        if forge not in ("github", "gitlab") or len(parts) < 2 or not all(_NAME.fullmatch(part) for part in parts):
            raise InputError("this is no repository of a forge", where=repr(slug[:100]))
        return self.root.joinpath(forge, *parts[:-1], f"{parts[-1]}.git")

    def open(self, forge: str, slug: str) -> Repository:
        """The mirror, for reading. InputError where nothing was fetched yet."""
        return open_repository(self.path_of(forge, slug), bare=True)

    # Private

    def _fetch(self, mirror: Path, source: Source, refspecs: Sequence[str], lock: int) -> None:
        """Once more where a branch stands in the way that is gone at the forge, or became a folder of branches."""
        try:
            fetch(mirror, source, refspecs, self.bounds, (lock,))
        except FetchError as error:
            if error.fault != "conflict":
                raise
            drop_refs(mirror, _branches(mirror))
            fetch(mirror, source, refspecs, self.bounds, (lock,))

    @contextmanager
    def _locked(self, mirror: Path) -> Iterator[int]:
        """Git inherits the descriptor: where this process dies, nobody else writes before its git has ended too."""
        mirror.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(f"{mirror}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _wait_for(lock, mirror)
            yield lock
        finally:
            os.close(lock)

    def _protocols(self, url: str) -> frozenset[str]:
        """http is for this very machine only, even where it is allowed."""
        near = urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
        return self.protocols if near or not urlsplit(url).hostname else self.protocols - {"http"}


def open_mirrors(config: Config) -> Mirrors:
    """The mirrors of this set-up. InputError where git is too old. A forge that is itself asked over http on this
    machine is fetched from over http as well."""
    require_git()
    apis = [forge.api for forge in (config.github, config.gitlab) if forge is not None]
    extra = {"http"} if any(api.startswith("http://") for api in apis) else set()
    return Mirrors(config.data / "mirrors", frozenset(("https", *extra)))


# Private

_NAME = re.compile(r"(?!\.{1,2}\Z)(?!.*\.git\Z)[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}")
_BRANCH = re.compile(
    r"(?!.*(?:\.\.|@\{|//|/\.|\.lock(?:/|\Z)))[^\x00-\x20\x7f~^:?*\[\\/.-][^\x00-\x20\x7f~^:?*\[\\]{0,250}"
)
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def _refs(wanted: Wanted) -> list[str]:
    if not _BRANCH.fullmatch(wanted.target) or wanted.target.endswith(("/", ".")):
        raise InputError("this is no name of a branch", where=repr(wanted.target[:100]))
    if not _OID.fullmatch(wanted.head):
        raise InputError("this is no id of a commit", where=repr(wanted.head[:80]))
    heads = [f"refs/heads/{wanted.target}", "refs/notes/*"]
    if wanted.number:
        kind = "pull" if wanted.forge == "github" else "merge-requests"
        heads.append(f"refs/{kind}/{wanted.number:d}/head")
    return heads


def _branches(mirror: Path) -> list[str]:
    with open_repository(mirror, bare=True) as repository:
        listed = repository.run("for-each-ref", "--format=%(refname)", "refs/heads/")
    return listed.decode("utf-8", "surrogateescape").split()


def _wait_for(lock: int, mirror: Path) -> None:
    ends = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > ends:
                raise FetchError("others have used the mirror for too long", "slow", where=str(mirror)) from None
            time.sleep(0.02)
        else:
            return


def _sweep(mirror: Path) -> None:
    """Takes away what a git that was killed left behind: we hold the lock, so nobody is writing."""
    if not mirror.is_dir():
        return
    for left in (*mirror.glob("*.lock"), *(mirror / "refs").rglob("*.lock"), *mirror.glob("objects/pack/tmp_*")):
        left.unlink(missing_ok=True)
    for left in mirror.glob("objects/tmp_objdir-*"):
        shutil.rmtree(left, ignore_errors=True)
