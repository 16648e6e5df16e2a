"""A log as a folder of files, written and read by the values of `tiles` alone: what an auditor gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from tidegate.errors import InputError
from tidegate.ledger.checkpoint import read_checkpoint
from tidegate.ledger.merkle import Frontier, leaf_hash
from tidegate.ledger.tiles import (
    CHECKPOINT_PATH,
    TILE_BYTES,
    WIDTH,
    ReadTile,
    Tile,
    TileError,
    TileWriter,
    decode_bundle,
    encode_bundle,
    tile_at,
)


def write_directory(folder: Path, entries: Iterable[bytes], note: bytes) -> None:
    """Writes a log into a new or empty folder: its entries, their tiles, and last the signed checkpoint.

    Raises InputError where the folder is not empty, or the entries are not those of the checkpoint. Memory does not
    grow with the log.
    """
    checkpoint = read_checkpoint(note)
    folder.mkdir(parents=True, exist_ok=True)
    if next(folder.iterdir(), None) is not None:
        raise InputError("the folder is not empty", where=str(folder), mend="name a new one")
    tiles, frontier, remaining = TileWriter(), Frontier(), iter(entries)
    while bundle := list(islice(remaining, WIDTH)):
        leaves = [leaf_hash(entry) for entry in bundle]
        place = Tile(None, frontier.size // WIDTH, len(bundle))
        frontier = frontier.extend(leaves)
        _write(folder, place, encode_bundle(bundle))
        for full in tiles.extend(leaves):
            _write(folder, full.tile, full.data)
    for partial in tiles.partial():
        _write(folder, partial.tile, partial.data)
    if (frontier.size, frontier.root) != (checkpoint.size, checkpoint.root):
        raise InputError("the entries are not those of the checkpoint", where=str(folder))
    (folder / CHECKPOINT_PATH).write_bytes(note)


def read_tiles(folder: Path) -> ReadTile:
    """How the tiles of a folder are read. What answers raises TileError for a tile that is not there."""

    def read(tile: Tile) -> bytes:
        try:
            with (folder / tile.path).open("rb") as file:
                return file.read(MAX_BUNDLE_BYTES if tile.level is None else TILE_BYTES + 1)
        except OSError as error:
            raise TileError("the tile cannot be read", where=str(folder / tile.path)) from error

    return read


def read_entries(read_tile: ReadTile, size: int) -> Iterator[bytes]:
    """The entries of a log of `size`, one bundle in memory at a time. Raises TileError for a broken bundle."""
    for first in range(0, size, WIDTH):
        bundle = tile_at(None, first // WIDTH, size)
        yield from decode_bundle(read_tile(bundle), bundle.width)


MAX_BUNDLE_BYTES = WIDTH * (2 + 65_535)

# Private


def _write(folder: Path, tile: Tile, data: bytes) -> None:
    path = folder / tile.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
