"""What lies in a work tree as an index of its own, so that it can be assessed before anything is staged."""

from __future__ import annotations

import os
import shutil
import stat
import zlib
from collections.abc import Sequence
from hashlib import sha1, sha256
from pathlib import Path

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.values import show_path
from tidegate.errors import InputError

MOST_FILES = 5_000
LARGEST_FILE = 32 << 20
MOST_BYTES = 256 << 20


class Written(Struct, frozen=True):
    """An index with what lies in the work tree; how many files differ from the real one; what was left out, and why."""

    index: Path
    changed: int
    left_out: tuple[str, ...]


class WorkTree(Repository):
    """The same repository. Nothing of it changes: index and objects are written into the private git directory.

    Files are taken as they are: neither filters nor conversions of line ends are run.
    """

    def write_index(self) -> Written:
        """What `git add --all` would stage. Raises InputError for a bare repository and for too many files."""
        if self.path == self.git_dir:
            raise InputError("a bare repository has no work tree", where=str(self.path), mend='say what="commits"')
        paths = self._differing()
        if len(paths) > MOST_FILES:
            raise InputError(
                f"more than {MOST_FILES:,} files differ from the index", mend="ignore what is built, or stage and ask"
            )
        index = Path(self._private.name) / "work-index"
        meant = self.git_dir / "index"
        if meant.is_file():
            shutil.copyfile(meant, index)
        (Path(self._private.name) / "staged-objects").mkdir(exist_ok=True)
        entries, left_out = self._entries(paths)
        arguments = ("update-index", "-z", "--index-info")
        done = self._ask(arguments, {**self._environment, "GIT_INDEX_FILE": str(index)}, b"".join(entries))
        if done.returncode:
            raise self._refused(arguments, done.stderr)
        return Written(index, len(entries), left_out)

    # Private

    def _differing(self) -> Sequence[bytes]:
        """Files that differ from the index or are not in it, and are not ignored here or by the person's own list."""
        excluded = [self.common_dir / "info" / "exclude", Path.home() / ".config" / "git" / "ignore"]
        listing = [f"--exclude-from={path}" for path in excluded if path.is_file()]
        arguments = (
            "-c",
            "core.bare=false",
            "-C",
            str(self.path),
            "ls-files",
            "-z",
            "-m",
            "-d",
            "-o",
            "--exclude-per-directory=.gitignore",
            *listing,
        )
        done = self._ask(arguments, {**self._environment, "GIT_WORK_TREE": str(self.path)})
        if done.returncode:
            raise self._refused(arguments[4:], done.stderr)
        return list(dict.fromkeys(name for name in done.stdout.split(b"\0") if name))

    def _entries(self, paths: Sequence[bytes]) -> tuple[list[bytes], tuple[str, ...]]:
        entries: list[bytes] = []
        left_out: list[str] = []
        room = MOST_BYTES
        for path in paths:
            found = _read(self.path / os.fsdecode(path), min(LARGEST_FILE, room))
            if isinstance(found, str):
                left_out.append(f"{show_path(path)}: left out, {found}")
                continue
            mode, content = found
            room -= len(content)
            oid = self._keep(content) if mode else self.null_oid
            entries.append(b"%s %s\t%s\0" % (mode or b"0", oid.encode(), path))
        return entries, tuple(left_out)

    def _keep(self, content: bytes) -> str:
        """Writes a blob beside the repository, where `write_staged_tree` looks for objects too."""
        whole = b"blob %d\0%s" % (len(content), content)
        oid = (sha256 if self.object_format == "sha256" else sha1)(whole).hexdigest()  # git's own names
        folder = Path(self._private.name) / "staged-objects" / oid[:2]
        folder.mkdir(exist_ok=True)
        (folder / oid[2:]).write_bytes(zlib.compress(whole, 1))
        return oid


def _read(full: Path, most: int) -> tuple[bytes, bytes] | str:
    """Mode and content as git keeps them; no mode for what is gone; a reason for what cannot be read."""
    try:
        found = os.lstat(full)
        if stat.S_ISLNK(found.st_mode):
            return b"120000", os.fsencode(full.readlink())
        if not stat.S_ISREG(found.st_mode):
            return "it is no regular file"
        descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(most + 1)
    except (FileNotFoundError, NotADirectoryError):
        return b"", b""
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    if len(content) > most:
        return "it is too large"
    return (b"100755" if found.st_mode & 0o111 else b"100644"), content
