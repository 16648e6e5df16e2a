"""Tiles, bundles and the folder that an export is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.directories import read_entries, read_tiles, write_directory
from tests.ledger.logs import MemoryLog
from tidegate.errors import InputError
from tidegate.ledger.merkle import inclusion_proof, leaf_hash, root_at, root_of, verify_inclusion
from tidegate.ledger.tiles import (
    Tile,
    TileError,
    TileReader,
    TileWriter,
    decode_bundle,
    encode_bundle,
    parse_path,
    split_tile,
    tile_at,
    tiles_of,
)


def test_the_tiles_of_the_specifications_example() -> None:
    paths = [tile.path for tile in tiles_of(70_000) if tile.level is not None]
    assert len(paths) == 273 + 1 + 1 + 1 + 1
    assert paths[272:] == ["tile/0/272", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert [tile.path for tile in tiles_of(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert Tile(3, 1_234_067).path == "tile/3/x001/x234/067"
    assert Tile(None, 1000, 7).path == "tile/entries/x001/000.p/7"


def test_new_tiles_are_those_that_the_smaller_tree_has_not() -> None:
    for old, new in [(0, 1), (255, 256), (256, 257), (256, 512), (300, 66_000), (65_536, 65_537), (5, 5)]:
        assert set(tiles_of(new, old)) == set(tiles_of(new)) - set(tiles_of(old))


@given(st.none() | st.integers(0, 7), st.integers(0, 2**55), st.integers(1, 256))
def test_a_path_names_one_tile(level: int | None, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert parse_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/00/000",
        "tile/8/000",
        "tile/0/x000/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/-1/000",
        "tile/0/../0",
        "tile/0/000\n",
        "/tile/0/000",
        "tile/0/٠٠٠",
        "tile/entries/x999/x999/x999/x999/x999/x999/x999/999",
    ],
)
def test_what_is_no_path_of_a_tile(path: str) -> None:
    with pytest.raises(TileError):
        parse_path(path)


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_bundle_holds_what_was_put_into_it(entries: list[bytes]) -> None:
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == entries
    assert decode_bundle(data, len(entries) // 2) == entries[: len(entries) // 2]
    for broken in (data[:-1], data + b"\x00"):
        if broken:
            with pytest.raises(TileError):
                decode_bundle(broken, len(entries))


def test_an_entry_may_have_65_535_bytes_and_no_more() -> None:
    assert decode_bundle(encode_bundle([b"x" * 65_535]), 1) == [b"x" * 65_535]
    with pytest.raises(TileError):
        encode_bundle([b"x" * 65_536])
    with pytest.raises(TileError):
        decode_bundle(encode_bundle([b""] * 257), 256)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 66_000])
def test_a_writer_that_starts_anew_goes_on_where_the_last_one_stopped(size: int) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    stored: dict[str, bytes] = {}
    at = 0
    while at < size:
        step = min(size - at, 1 + at * 3)
        writer = TileWriter.resume(lambda tile: stored[tile.path], at)
        for tile in [*writer.extend(leaves[at : at + step]), *writer.partial()]:
            stored[tile.tile.path] = tile.data
        at += step
        assert writer.size == at
    assert {tile.path for tile in tiles_of(size) if tile.level is not None} <= set(stored)
    reader = TileReader(lambda tile: stored[tile.path], size)
    root = root_of(leaves)
    assert root_at(size, reader.hash_at) == root
    for index in {0, size // 2, size - 1} if size else ():
        verify_inclusion(index, size, leaves[index], inclusion_proof(index, size, reader.hash_at), root)


def test_a_full_tile_stands_in_for_a_partial_one() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(256)]
    reader = TileReader(lambda _: b"".join(leaves), 7)
    assert root_at(7, reader.hash_at) == root_of(leaves[:7])


def test_what_a_tree_has_not_is_refused() -> None:
    reader = TileReader(lambda _: b"x" * 33, 7)
    for level, index in [(0, 7), (3, 0), (0, -1), (-1, 0), (0, 0)]:
        with pytest.raises(TileError):
            reader.hash_at(level, index)
    for size, width in [(8193, 1), (31, 1), (33, 1), (32, 2)]:
        with pytest.raises(TileError):
            split_tile(b"x" * size, width)
    with pytest.raises(TileError):
        tile_at(0, 1, 256)


def test_an_export_is_read_as_it_was_written(tmp_path: Path) -> None:
    log = MemoryLog()
    log.append(*(b"entry %d" % number for number in range(600)))
    export = tmp_path / "export"
    write_directory(export, log.entries, log.note())
    written = {str(path.relative_to(export)) for path in export.rglob("*") if path.is_file()}
    assert written == {"checkpoint", *(tile.path for tile in tiles_of(600))}
    read_tile = read_tiles(export)
    assert list(read_entries(read_tile, 600)) == log.entries
    assert root_at(600, TileReader(read_tile, 600).hash_at) == log.root()
    with pytest.raises(TileError):
        read_tile(Tile(5, 0))


def test_no_export_over_another_and_none_of_other_entries(tmp_path: Path) -> None:
    log = MemoryLog()
    log.append(b"one", b"two")
    with pytest.raises(InputError, match="not those of the checkpoint"):
        write_directory(tmp_path, [b"one", b"three"], log.note())
    with pytest.raises(InputError, match="not empty"):
        write_directory(tmp_path, log.entries, log.note())
