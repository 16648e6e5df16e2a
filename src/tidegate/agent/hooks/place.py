"""Where a file's repository is, and where the recorder keeps what it knows, found by reading files alone."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG_LIMIT_BYTES = 1 << 16


class Place:
    """One work tree: its top folder, its own git directory, and the one that all work trees share.

    `own` is what the recorder keeps for this work tree (the state of its files), `shared` what it keeps for all.
    """

    __slots__ = ("common", "git_dir", "own", "shared", "top")

    def __init__(self, top: str, git_dir: str, common: str) -> None:
        self.top = top
        self.git_dir = git_dir
        self.common = common
        self.own = f"{git_dir}/tidegate/hooks"
        self.shared = f"{common}/tidegate/hooks"


def find_place(path: str) -> Place | None:
    """The innermost work tree that holds this path (a submodule before what it lies in), None outside of any."""
    folder = os.path.realpath(path)
    while True:
        marker = f"{folder.rstrip('/')}/.git"
        git_dir = marker if os.path.isdir(marker) else _linked(folder, marker)
        if git_dir and os.path.exists(f"{git_dir}/HEAD"):
            return Place(folder, git_dir, common_dir(git_dir))
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def place_of_git_dir(git_dir: str, top: str) -> Place:
    """The place that git itself names to its hooks."""
    real = os.path.realpath(git_dir)
    return Place(os.path.realpath(top), real, common_dir(real))


def common_dir(git_dir: str) -> str:
    """The git directory with objects, refs and configuration: another one for a linked work tree."""
    text = read_small(f"{git_dir}/commondir").strip()
    return os.path.normpath(os.path.join(git_dir, os.fsdecode(text))) if text else git_dir


def relative(place: Place, path: str) -> str:
    """The path within the work tree, "" for what is outside of it or inside the git directory."""
    real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    inside = real[len(place.top) + 1 :] if real.startswith(place.top + "/") else ""
    return "" if inside == ".git" or inside.startswith(".git/") else inside


def read_small(path: str, limit: int = 4096) -> bytes:
    """The content of a small regular file, b"" for everything else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return b""
    try:
        content = os.read(descriptor, limit + 1)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
    return content if len(content) <= limit else b""


def head_oid(place: Place) -> str:
    """The commit that HEAD names, as far as loose and packed refs tell it, else ""."""
    head = read_small(f"{place.git_dir}/HEAD").strip()
    if not head.startswith(b"ref: "):
        return head.decode("ascii", "replace")
    ref = os.fsdecode(head[5:].strip())
    loose = read_small(f"{place.common}/{ref}").strip() or read_small(f"{place.git_dir}/{ref}").strip()
    if loose:
        return loose.decode("ascii", "replace")
    for line in _packed(place):
        if line.endswith(b" " + os.fsencode(ref)):
            return line.split(b" ", 1)[0].decode("ascii", "replace")
    return ""


def git_token(place: Place) -> str:
    """Changes whenever git moved what lies in the work tree: another HEAD, something stashed, a merge under way."""
    stash = f"{place.common}/logs/refs/stash"
    size = os.stat(stash).st_size if os.path.exists(stash) else 0
    under_way = [f"{name}={_said(place, name)}" for name in UNDER_WAY if os.path.exists(f"{place.git_dir}/{name}")]
    head = read_small(f"{place.git_dir}/HEAD").decode("utf-8", "replace").strip()
    return f"{head} {head_oid(place)} {size} {' '.join(under_way)}"


UNDER_WAY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "SQUASH_MSG")
"""Git is in the middle of something: what lies in the work tree is not what somebody just typed."""


# Private


def _said(place: Place, name: str) -> str:
    return read_small(f"{place.git_dir}/{name}").decode("utf-8", "replace")[:64].strip()


def _linked(folder: str, marker: str) -> str:
    text = read_small(marker)
    if not text.startswith(b"gitdir: "):
        return ""
    return os.path.normpath(os.path.join(folder, os.fsdecode(text[8:].strip())))


def _packed(place: Place) -> Iterator[bytes]:
    try:
        with open(f"{place.common}/packed-refs", "rb") as file:
            for line in file:
                yield line.rstrip(b"\n")
    except OSError:
        return
