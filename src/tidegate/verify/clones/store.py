"""Where the clone index is kept: a folder of segments that are each written whole under a passing name and renamed.

The folder may be deleted at any moment, and nothing in it is believed without its checksum: what is damaged is removed
and made again. Where the folder cannot be used, nothing is kept and all is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tidegate.verify.clones import prints, tokens
from tidegate.verify.clones.segment import Segment, open_segment, read_segment, segment_bytes
from tidegate.verify.clones.tokens import Tokens

LIMIT_BYTES = 768 << 20
FORMAT = 1
_MERGE_AT = 8
_MERGE_BELOW_BYTES = 16 << 20
_PASSING_SECONDS = 3600


class Store:
    """The segments in a folder. Use it as a context manager, or call `close`."""

    def __init__(self, folder: int | None, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        shape = repr((FORMAT, tokens.VERSION, prints.VERSION, prints.GRAM, prints.WINDOW))
        self._suffix = f".{hashlib.blake2b(shape.encode(), digest_size=6).hexdigest()}"
        self.segments: list[Segment] = []
        self._read_folder()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def usable(self) -> bool:
        """Whether there is a folder at all."""
        return self._folder is not None

    def close(self) -> None:
        self.segments = []
        if self._folder is not None:
            os.close(self._folder)
        self._folder = None

    def add(self, files: Sequence[tuple[bytes, Tokens]]) -> bool:
        """Have these files at hand, and keep them; whether they could be kept."""
        if not files:
            return True
        name, data = self._new_name(), segment_bytes(files)
        kept = self._write(name, data) and self._open_one(name)
        if not kept:
            segment = read_segment(name, data)
            self.segments += [] if segment is None else [segment]
            return False
        with self._lock() as held:
            if held:
                self._merge()
        return True

    def drop(self, names: Collection[str]) -> None:
        """Remove segments that turned out to be damaged."""
        for name in names:
            self._remove(name)
        self.segments = [segment for segment in self.segments if segment.name not in names]

    # Private

    def _new_name(self) -> str:
        return f"{int(self._clock() * 1e6):016x}-{secrets.token_hex(6)}{self._suffix}"

    def _read_folder(self) -> None:
        names = self._names()
        sizes = 0
        for name in names:
            with suppress(OSError):
                found = os.stat(name, dir_fd=self._folder, follow_symlinks=False)
                sizes += found.st_size
                passed = name.startswith(".") and self._clock() - found.st_mtime > _PASSING_SECONDS
                if passed or (not name.endswith(self._suffix) and not name.startswith(".") and name != "lock"):
                    self._remove(name)
        for name in names:
            if not name.endswith(self._suffix) or name.startswith("."):
                continue
            if sizes > LIMIT_BYTES or not self._open_one(name):
                self._remove(name)

    def _open_one(self, name: str) -> bool:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags, dir_fd=self._folder)
        except OSError:
            return False
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return False
        segment = open_segment(name, descriptor)
        if segment is not None:
            self.segments.append(segment)
        return segment is not None

    def _names(self) -> list[str]:
        if self._folder is None:
            return []
        try:
            return sorted(os.listdir(self._folder))  # noqa: PTH208 (a folder that is open already)
        except OSError:
            return []

    def _write(self, name: str, data: bytes) -> bool:
        if self._folder is None:
            return False
        passing = f".{secrets.token_hex(8)}"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(passing, flags, 0o600, dir_fd=self._folder), "wb") as file:
                file.write(data)
            os.rename(passing, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except OSError:
            self._remove(passing)
            return False
        return True

    def _remove(self, name: str) -> None:
        with suppress(OSError):
            os.unlink(name, dir_fd=self._folder)

    @contextmanager
    def _lock(self) -> Iterator[bool]:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open("lock", flags, 0o600, dir_fd=self._folder)
        except OSError:
            yield False
            return
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def _merge(self) -> None:
        """Many small segments become one: each is asked about every fingerprint."""
        small = [segment for segment in self.segments if segment.size < _MERGE_BELOW_BYTES]
        if len(small) < _MERGE_AT:
            return
        files: dict[bytes, Tokens] = {}
        for segment in small:
            for blob, oid in enumerate(segment.directory.oids):
                found = segment.tokens(blob)
                if found is not None:
                    files[oid.tobytes()] = found
        name = self._new_name()
        if self._write(name, segment_bytes(sorted(files.items(), key=lambda file: file[0]))) and self._open_one(name):
            for segment in small:
                self._remove(segment.name)
            self.segments = [segment for segment in self.segments if segment not in small]


def open_store(folder: Path | None, *, clock: Callable[[], float] = time.time) -> Store:
    """The store in `folder`, which is made where it is missing: `COMMON_GIT_DIR/tidegate/verify/clones`.

    Never raises: where the folder cannot be used the store keeps nothing. That is so too when the folder or one of
    the three above it is a link, or belongs to somebody else: what they put there would be believed.
    """
    try:
        return Store(None if folder is None else _open_folder(folder), clock)
    except OSError:
        return Store(None)


# Private


def _open_folder(folder: Path) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    above = os.open(folder.parents[2], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for name in folder.parts[-3:]:
        try:
            with suppress(OSError):  # it is there, or on a read-only disk
                os.mkdir(name, 0o777, dir_fd=above)
            opened = os.open(name, flags, dir_fd=above)
        finally:
            os.close(above)
        above = opened
    if os.fstat(above).st_uid != os.geteuid():
        os.close(above)
        raise PermissionError(f"{folder} belongs to somebody else")
    return above
