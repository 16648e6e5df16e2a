"""What a command that runs tests found, kept beside the repository for exactly the trees that it was found for."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec
from msgspec import Struct

from tidegate.change.git_dir import read_small
from tidegate.errors import InputError


class Found(Protocol):
    """An answer about two trees."""

    @property
    def base_tree(self) -> str: ...

    @property
    def head_tree(self) -> str: ...


T = TypeVar("T", bound=Found)


class Kept(Struct, Generic[T], frozen=True):
    """The answers of one command. `kind` is their type, `folder` where they lie, `none` why there may be none."""

    kind: type[T]
    folder: str
    none: str
    command: str

    def read(self, kept: Path | None, base_tree: str, head_tree: str) -> T | str:
        """The last answer for these two trees; else why there is none, in words."""
        place = self._place(kept, base_tree, head_tree) if kept is not None else None
        if place is None or not place.exists():
            return f"{self.none}; run: {self.command}"
        try:
            found = msgspec.json.decode(read_small(place, _LIMIT_BYTES) or b"", type=self.kind)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return f"the kept answer cannot be read; run again: {self.command}"
        if (found.base_tree, found.head_tree) != (base_tree, head_tree):
            return f"the kept answer is of another change; run again: {self.command}"
        return found

    def write(self, kept: Path, answer: T) -> Path:
        """Keep an answer in the place of an earlier one. Raises InputError where it cannot be written."""
        place = self._place(kept, answer.base_tree, answer.head_tree)
        if place is None:
            raise InputError("an answer without trees cannot be kept", mend="name a range of commits")
        passing = place.with_name(f".{secrets.token_hex(8)}.part")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                passing.write_bytes(msgspec.json.encode(answer))
                passing.replace(place)
            finally:
                passing.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(
                f"the answer cannot be kept ({error})", where=str(place.parent), mend="check its permissions and space"
            ) from error
        return place

    def _place(self, kept: Path, base_tree: str, head_tree: str) -> Path | None:
        if not (_OID.fullmatch(base_tree) and _OID.fullmatch(head_tree)):
            return None
        return kept / self.folder / f"{base_tree}-{head_tree}.json"


# Private

_LIMIT_BYTES = 64 << 20
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
