"""Where entries and their receipts come from: an exported folder. One out of a database is `database.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tidegate.errors import InputError
from tidegate.ledger.checkpoint import Checkpoint, read_checkpoint
from tidegate.ledger.merkle import Proof, consistency_proof, inclusion_proof
from tidegate.ledger.notes import MAX_NOTE_BYTES
from tidegate.ledger.receipt import Receipt
from tidegate.ledger.tiles import (
    CHECKPOINT_PATH,
    MAX_ENTRY_BYTES,
    TILE_BYTES,
    WIDTH,
    Tile,
    TileError,
    TileReader,
    decode_bundle,
    tile_at,
)


class Source(Protocol):
    """A ledger to read evidence from. Nothing in it is to be believed before it was verified."""

    def checkpoint(self) -> bytes:
        """The last checkpoint, as a signed note with its cosignatures."""
        ...

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Every entry that there is, in order; one that is missing is left out."""
        ...

    def envelope(self, index: int) -> bytes: ...

    def receipt(self, index: int) -> Receipt: ...

    def consistency(self, old: int, new: int) -> Proof: ...


class FolderSource:
    """What `tidegate ledger export` wrote. InputError where it is none, or what is asked for is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            with (folder / CHECKPOINT_PATH).open("rb") as file:
                self._note = file.read(MAX_NOTE_BYTES + 1)
        except OSError as error:
            raise InputError(
                "this is no exported ledger: it has no checkpoint",
                where=str(folder),
                mend="export one: tidegate ledger export FOLDER",
            ) from error
        self._checkpoint = read_checkpoint(self._note)
        self._reader = TileReader(self.read_tile, self._checkpoint.size)

    @property
    def shown(self) -> Checkpoint:
        return self._checkpoint

    def read_tile(self, tile: Tile) -> bytes:
        """The bytes of a tile or a bundle. TileError where it cannot be read."""
        most = WIDTH * (2 + MAX_ENTRY_BYTES) if tile.level is None else TILE_BYTES + 1
        try:
            with (self._folder / tile.path).open("rb") as file:
                return file.read(most)
        except OSError as error:
            raise TileError("the tile cannot be read", where=str(self._folder / tile.path)) from error

    def checkpoint(self) -> bytes:
        return self._note

    def entries(self) -> Iterator[tuple[int, bytes]]:
        for first in range(0, self._checkpoint.size, WIDTH):
            bundle = tile_at(None, first // WIDTH, self._checkpoint.size)
            yield from enumerate(decode_bundle(self.read_tile(bundle), bundle.width), start=first)

    def envelope(self, index: int) -> bytes:
        check_index(index, self._checkpoint.size)
        bundle = tile_at(None, index // WIDTH, self._checkpoint.size)
        return decode_bundle(self.read_tile(bundle), bundle.width)[index % WIDTH]

    def receipt(self, index: int) -> Receipt:
        check_index(index, self._checkpoint.size)
        proof = inclusion_proof(index, self._checkpoint.size, self._reader.hash_at)
        return Receipt(index, proof, self._note)

    def consistency(self, old: int, new: int) -> Proof:
        if new > self._checkpoint.size:
            raise InputError(f"the ledger has {self._checkpoint.size} entries, and not {new}")
        return consistency_proof(old, new, self._reader.hash_at)


def check_index(index: int, size: int) -> None:
    """InputError where a ledger of this size has no such entry."""
    if not 0 <= index < size:
        raise InputError(f"the ledger has no entry {index}", mend=f"it has {size}, counted from 0")
