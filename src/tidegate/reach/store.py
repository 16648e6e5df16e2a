"""What was parsed once and need not be parsed again: symbols by blob id, and larger values derived from them.

The store is a folder of files that are each written whole under a passing name and then renamed. So a reader sees a
file whole or not at all, two processes never write the same file, a kill leaves at most a passing file, and the folder
may be deleted at any moment. Nothing in it is believed without its checksum. Whatever goes wrong costs time only: a
store that cannot be read has nothing, one that cannot be written keeps nothing.

Small segments are merged, and the files that were unused for longest are removed once the folder is larger than its
limit. Only these two take a lock, and they leave when somebody else holds it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import stat
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from tidegate import __version__
from tidegate.reach.segment import KEY_BYTES, Record, Segment, open_segment, segment_bytes
from tidegate.reach.symbols import Binding, Definition, FileSymbols, Gap, Parameter, Reference, Text

LIMIT_BYTES = 512 << 20
FORMAT = 1
_LIST_TIMES = 3
_MERGE_AT = 8
_MERGE_BELOW_BYTES = 4 << 20
_VALUE_LIMIT_BYTES = 256 << 20
_PASSING_SECONDS = 3600
_USED_SECONDS = 3600
_UNPACKED_LIMIT_BYTES = 256 << 20


class Key(NamedTuple):
    """What symbols are kept by: the blob, and the language and version of the reader that read it."""

    oid: str
    language: str
    version: int


class Packed(NamedTuple):
    """The symbols of one file, ready to be kept; `failed` says that they hold an error instead."""

    payload: bytes
    failed: bool


def pack(symbols: FileSymbols) -> Packed:
    """Symbols as bytes: the same symbols give the same bytes."""
    return Packed(zlib.compress(msgspec.msgpack.encode(symbols), 1), bool(symbols.error))


def unpack(payload: bytes) -> FileSymbols | None:
    """The symbols in these bytes, None where they hold none."""
    try:
        opened = zlib.decompressobj()
        raw = opened.decompress(payload, _UNPACKED_LIMIT_BYTES)
        return msgspec.msgpack.decode(raw, type=FileSymbols) if opened.eof else None
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


class Store:
    """An open store. Use it as a context manager, or call `close`. Without a folder it has and keeps nothing."""

    def __init__(self, folder: int | None, *, limit: int = LIMIT_BYTES, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._limit = limit
        self._clock = clock
        self._suffix = _suffix()
        self._segments: dict[str, Segment] = {}
        self._stale = True
        self._tags: dict[tuple[str, int], bytes] = {}

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def usable(self) -> bool:
        """Whether there is a folder at all."""
        return self._folder is not None

    def close(self) -> None:
        for segment in self._segments.values():
            segment.close()
        self._segments = {}
        if self._folder is not None:
            os.close(self._folder)
        self._folder = None

    def look_up(self, keys: Iterable[Key]) -> dict[Key, bool]:
        """The keys that are kept, each with whether an error is kept for it. Reads no record."""
        segments = self._open()
        known: dict[Key, bool] = {}
        for key in keys:
            raw = self._raw_key(key)
            for segment in segments:
                flag = segment.flag(raw)
                if flag is not None:
                    known[key] = bool(flag)
                    break
        return known

    def get_many(self, keys: Iterable[Key]) -> dict[Key, FileSymbols]:
        """The symbols that are kept and whole; a key that is not is missing in the answer."""
        segments = self._open()
        found: dict[Key, FileSymbols] = {}
        used: set[str] = set()
        for key in keys:
            raw = self._raw_key(key)
            for segment in segments:
                record = segment.read(raw)
                symbols = None if record is None else unpack(record.payload)
                if symbols is not None:
                    found[key] = symbols
                    used.add(segment.name)
                    break
        self._mark_used(used)
        return found

    def put_many(self, symbols: Mapping[Key, FileSymbols]) -> bool:
        """Keeps them; whether that worked."""
        return self.put_packed({key: pack(value) for key, value in symbols.items()})

    def put_packed(self, packed: Mapping[Key, Packed]) -> bool:
        """The same for what is packed already."""
        if not packed:
            return True
        records = {self._raw_key(key): Record(value.payload, int(value.failed)) for key, value in packed.items()}
        stamp = f"{int(self._clock() * 1e6):016x}"
        if not self._write(self._new_name(stamp), segment_bytes(records)):
            return False
        self._stale = True
        self._tidy()
        return True

    def get_bytes(self, kind: str, key: str) -> bytes | None:
        """A larger value as it was put, None where it is not kept or not whole."""
        name, raw = self._value(kind, key)
        descriptor = self._open_file(name)
        segment = None if descriptor is None else open_segment(name, descriptor)
        if segment is None:
            return None
        record = segment.read(raw, limit=_VALUE_LIMIT_BYTES)
        segment.close()
        self._mark_used({name})
        return None if record is None else record.payload

    def put_bytes(self, kind: str, key: str, data: bytes) -> bool:
        """Keeps a larger value in a file of its own; whether that worked."""
        if len(data) > min(_VALUE_LIMIT_BYTES, self._limit):
            return False
        name, raw = self._value(kind, key)
        if not self._write(name, segment_bytes({raw: Record(data)})):
            return False
        self._tidy()
        return True

    # Private

    def _raw_key(self, key: Key) -> bytes:
        which = key[1:]
        tag = self._tags.get(which)
        if tag is None:
            tag = hashlib.blake2b(f"{key.language}\0{key.version}".encode(), digest_size=12).digest()
            self._tags[which] = tag
        return tag + bytes.fromhex(key.oid)[: KEY_BYTES - 12]

    def _new_name(self, stamp: str) -> str:
        return f"{stamp}-{secrets.token_hex(6)}{self._suffix}"

    def _value(self, kind: str, key: str) -> tuple[str, bytes]:
        raw = hashlib.blake2b(f"{kind}\0{key}".encode("utf-8", "surrogateescape"), digest_size=KEY_BYTES).digest()
        return f"value-{raw.hex()[:40]}{self._suffix}", raw

    def _open(self) -> list[Segment]:
        """The segments, the newest first: what was written again because it was damaged is found before the damaged."""
        if self._stale and self._folder is not None:
            self._stale = False
            for _ in range(_LIST_TIMES):
                names = {n for n in self._names() if n.endswith(self._suffix) and not n.startswith(("value-", "."))}
                for gone in self._segments.keys() - names:
                    self._segments.pop(gone).close()
                opened = [self._open_one(name) for name in sorted(names - self._segments.keys())]
                if all(opened):
                    break
        return [self._segments[name] for name in sorted(self._segments, reverse=True)]

    def _open_one(self, name: str) -> bool:
        """Opens a segment; False when it is gone: another process may have merged it into one that we did not list."""
        descriptor = self._open_file(name)
        if descriptor is None:
            return False
        segment = open_segment(name, descriptor)
        if segment is None:
            self._remove(name)
        else:
            self._segments[name] = segment
        return True

    def _names(self) -> list[str]:
        if self._folder is None:
            return []
        try:
            return os.listdir(self._folder)  # noqa: PTH208 (a folder that is open already)
        except OSError:
            return []

    def _open_file(self, name: str) -> int | None:
        if self._folder is None:
            return None
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags, dir_fd=self._folder)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        return descriptor

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

    def _mark_used(self, names: set[str]) -> None:
        """The time of a file says when it was last of use; it is set at most once an hour."""
        for name in names:
            with suppress(OSError):
                at = os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_mtime
                if abs(self._clock() - at) > _USED_SECONDS:
                    os.utime(name, (self._clock(),) * 2, dir_fd=self._folder, follow_symlinks=False)

    def _tidy(self) -> None:
        with self._lock() as held:
            if held:
                self._merge()
                self._evict()

    @contextmanager
    def _lock(self) -> Iterator[bool]:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
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
        """Many small segments become one: opening them costs more than reading them. The merged one keeps the time of
        its newest part, so what is newer stays newer."""
        small = [segment for segment in self._open() if segment.size < _MERGE_BELOW_BYTES]
        if len(small) < _MERGE_AT:
            return
        records: dict[bytes, Record] = {}
        for segment in small:
            for key in segment.keys:
                record = None if key in records else segment.read(key)
                if record is not None:
                    records[key] = record
        if records and self._write(self._new_name(small[0].name.partition("-")[0]), segment_bytes(records)):
            for segment in small:
                self._remove(segment.name)
            self._stale = True

    def _evict(self) -> None:
        """Removes passing files that a kill left behind and, above the limit, what was unused for longest."""
        files: list[tuple[float, str, int]] = []
        for name in self._names():
            with suppress(OSError):
                found = os.stat(name, dir_fd=self._folder, follow_symlinks=False)
                if name.startswith(".") and self._clock() - found.st_mtime > _PASSING_SECONDS:
                    self._remove(name)
                elif name != "lock":
                    files.append((found.st_mtime, name, found.st_size))
        total = sum(size for _, _, size in files)
        for _, name, size in sorted(files):
            if total <= self._limit:
                break
            self._remove(name)
            self._stale = True
            total -= size


def open_store(folder: Path, *, limit: int = LIMIT_BYTES, clock: Callable[[], float] = time.time) -> Store:
    """The store in `folder`, which is made where it is missing: `COMMON_GIT_DIR/tidegate/reach`. `limit` is in bytes.

    Never raises: where the folder cannot be used the store is empty and keeps nothing. That is so too when the folder
    or the one above it is a link, or belongs to somebody else: what they put there would be believed.
    """
    try:
        return Store(_open_folder(folder), limit=limit, clock=clock)
    except OSError:
        return Store(None)


# Private


def _open_folder(folder: Path) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    above = os.open(folder.parent.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for name in (folder.parent.name, folder.name):
        try:
            with suppress(FileExistsError):
                os.mkdir(name, 0o777, dir_fd=above)
        except OSError:
            pass  # a read-only disk may still hold the folder
        try:
            opened = os.open(name, flags, dir_fd=above)
        finally:
            os.close(above)
        above = opened
    if os.fstat(above).st_uid != os.geteuid():
        os.close(above)
        raise PermissionError(f"{folder} belongs to somebody else")
    return above


def _suffix() -> str:
    """What the names of our files end in. Another version of Tidegate, or of what is kept, has another one."""
    kept = (FileSymbols, Definition, Parameter, Binding, Reference, Text, Gap)
    shape = repr([FORMAT, __version__, [(kind.__name__, kind.__struct_fields__) for kind in kept]])
    return f".{hashlib.blake2b(shape.encode(), digest_size=6).hexdigest()}"
