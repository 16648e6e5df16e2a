"""A disk that forgets in a power cut what was not synced, or keeps any part of it, torn at its sectors.

An apsw VFS over real files that knows, for each file, what a sync made certain and what was written since.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import apsw

NAME = "forgetful"
SECTOR = 512

Write = tuple[int, bytes] | int
"""Bytes at an offset, or the size that a file was cut to."""


class Disk:
    """`cut_after` operations that change something, the power goes: every operation fails from then on."""

    def __init__(self) -> None:
        self.certain: dict[str, bytearray] = {}
        self.unsure: dict[str, list[Write]] = {}
        self.left = -1
        self.dead = False

    def reset(self, cut_after: int = -1) -> None:
        self.left, self.dead = cut_after, False

    def step(self) -> None:
        if self.dead:
            raise apsw.IOError("the power is cut")
        if self.left == 0:
            self.dead = True
            raise apsw.IOError("the power is cut")
        self.left -= 1

    def wrote(self, path: str, change: Write) -> None:
        self.unsure.setdefault(path, []).append(change)

    def synced(self, path: str) -> None:
        kept = self.certain.setdefault(path, bytearray())
        for change in self.unsure.pop(path, []):
            _apply(kept, change)

    def removed(self, path: str) -> None:
        self.certain.pop(path, None)
        self.unsure.pop(path, None)

    def cut(self, chance: random.Random) -> None:
        """Leaves in the real files what the disk holds after the power cut; nothing must be open."""
        for path in sorted({*self.certain, *self.unsure}):
            kept = bytearray(self.certain.get(path, b""))
            for change in _survivors(self.unsure.get(path, []), chance):
                _apply(kept, change)
            Path(path).write_bytes(kept)
            self.certain[path] = kept
        self.unsure.clear()


class ForgetfulVFS(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(NAME, "", maxpathname=1024)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return ForgetfulFile(self._disk, name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802
        self._disk.step()
        super().xDelete(name, syncdir)
        self._disk.removed(name)


class ForgetfulFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.step()
        super().xWrite(data, offset)
        self._disk.wrote(self._path, (offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.step()
        super().xTruncate(size)
        self._disk.wrote(self._path, size)

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802
        self._disk.step()
        self._disk.synced(self._path)


# Private


def _survivors(changes: list[Write], chance: random.Random) -> list[Write]:
    """None of what was unsure, a beginning of it, or any of it in pieces of a sector."""
    kind = chance.choice(("none", "beginning", "any", "torn"))
    if kind == "none":
        return []
    if kind == "beginning":
        return changes[: chance.randint(0, len(changes))]
    keep: Callable[[], bool] = lambda: chance.random() < 0.5  # noqa: E731
    if kind == "any":
        return [change for change in changes if keep()]
    return [piece for change in changes for piece in _pieces(change) if keep()]


def _pieces(change: Write) -> list[Write]:
    if isinstance(change, int):
        return [change]
    offset, data = change
    return [(offset + at, data[at : at + SECTOR]) for at in range(0, len(data), SECTOR)]


def _apply(content: bytearray, change: Write) -> None:
    if isinstance(change, int):
        del content[change:]
        content.extend(bytes(max(0, change - len(content))))
        return
    offset, data = change
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data
