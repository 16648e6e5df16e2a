"""Writes a log as a folder that any C2SP reader understands: tiles, entry bundles, and last the checkpoint."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from tidegate.errors import InputError, InternalError
from tidegate.ledger import log_rows as rows
from tidegate.ledger.tiles import CHECKPOINT_PATH, WIDTH, Tile, encode_bundle, tiles_of


def export(connection: Connection, folder: Path, size: int, checkpoint: bytes) -> int:
    """The size that was written. InputError where the folder holds something, or cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError("the folder is not empty", where=str(folder), mend="name a new one")
        read = rows.tile_reader(connection)
        for tile in tiles_of(size):
            _write(folder / tile.path, _bundle(connection, tile) if tile.level is None else read(tile))
        _write(folder / CHECKPOINT_PATH, checkpoint)
    except OSError as error:
        raise InputError(f"the ledger cannot be written there ({error.strerror})", where=str(folder)) from error
    return size


# Private


def _bundle(connection: Connection, tile: Tile) -> bytes:
    begin = tile.index * WIDTH
    found = rows.envelopes(connection, begin, begin + tile.width)
    if len(found) != tile.width:
        raise InternalError(f"entries of {begin} to {begin + tile.width - 1} are missing", where=tile.path)
    return encode_bundle(found)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
