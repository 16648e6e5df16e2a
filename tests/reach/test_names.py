"""The table of names answers like a list and a dictionary of the same texts."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tidegate.reach.names import Names, is_whole, table_of

SAME_CHECKSUM = ("plumless", "buckeroo")
TEXTS = st.lists(st.text(st.sampled_from("ab:#.\n\udc80é"), max_size=6), unique=True)


@given(TEXTS)
def test_a_table_answers_like_a_list(texts: list[str]) -> None:
    names = Names(table_of(texts))

    assert len(names) == len(texts)
    assert list(names) == texts
    assert [names[number] for number in range(len(texts))] == texts
    assert [names.find(text) for text in texts] == list(range(len(texts)))
    assert names.find("c") is None
    assert "c" not in names
    assert names.holding(b"#") == [number for number, text in enumerate(texts) if "#" in text]


@given(TEXTS)
def test_the_file_of_a_text_is_the_first_with_its_path(texts: list[str]) -> None:
    paths = [text.partition(":")[0] if ":" in text else "" for text in texts]

    assert Names(table_of(texts)).files.tolist() == [paths.index(path) if path else -1 for path in paths]


def test_texts_of_one_checksum_are_told_apart() -> None:
    one, other = SAME_CHECKSUM
    assert zlib.crc32(one.encode()) == zlib.crc32(other.encode())

    for texts in ((one, other), (other, "x", one)):
        names = Names(table_of(texts))
        assert [names.find(text) for text in texts] == list(range(len(texts)))
    assert Names(table_of([one])).find(other) is None


def test_a_table_that_was_cut_is_not_whole() -> None:
    table = table_of(["a:", "a:b"])

    assert is_whole(table, 2)
    assert not is_whole(table, 3)
    for field in ("texts", "offsets", "checksums", "order", "files"):
        assert not is_whole(structs.replace(table, **{field: getattr(table, field)[:-1]}), 2)
