"""Sets of numbers and segments of the store: the short way to ask says what the long way says."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tidegate.reach import segment
from tidegate.reach.linking.tree import holds_number, pack_numbers, shares_numbers
from tidegate.reach.segment import Record, open_segment, segment_bytes


@given(st.sets(st.integers(0, 700), max_size=60), st.integers(0, 800))
def test_a_packed_set_has_what_was_put_into_it(numbers: set[int], asked: int) -> None:
    packed = pack_numbers(sum(1 << number for number in numbers))
    assert holds_number(packed, asked) == (asked in numbers)
    assert shares_numbers(packed, 1 << asked) == (asked in numbers)


def test_the_bytes_of_a_number_astride_of_two_others_are_not_that_number() -> None:
    numbers = {1 << 16, 2 << 16}
    packed = pack_numbers(sum(1 << number for number in numbers))
    assert [number for number in range(600) if holds_number(packed, number)] == []


def test_few_and_many_questions_find_the_same_records(tmp_path: Path) -> None:
    records = {bytes([n % 251, n // 251] * 16): Record(str(n).encode()) for n in range(1000)}
    (tmp_path / "one").write_bytes(segment_bytes(records))
    opened = open_segment("one", os.open(tmp_path / "one", os.O_RDONLY))
    assert opened is not None
    missing = [bytes(32), b"\xff" * 32, bytes([7, 99] * 16)]
    asked = [*missing, *list(records)[: segment._FEW // 2]]
    few = [opened.read(key) for key in asked]
    assert few == [records.get(key) for key in asked]
    assert [opened.read(key) for key in records] == list(records.values())
    assert [opened.read(key) for key in asked] == few
    opened.close()
