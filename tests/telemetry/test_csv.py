"""Series from CSV files."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tidegate.errors import InputError
from tidegate.telemetry.csv import read_csv


def test_columns_are_series_in_the_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("time,a,b\n1970-01-01T00:00:30Z,3,\n0,1,-2e3\n15,NaN,0\n\n")
    a, b = read_csv(path)
    assert (a.name, b.name) == ("a", "b")
    assert a.times.tolist() == [0.0, 15.0, 30.0]
    assert a.values[[0, 2]].tolist() == [1.0, 3.0]
    assert math.isnan(a.values[1])
    assert b.values[:2].tolist() == [-2000.0, 0.0]
    assert math.isnan(b.values[2])


def test_a_file_without_rows_has_series_without_points(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("time,a\n")
    (a,) = read_csv(path)
    assert len(a.times) == len(a.values) == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "names no columns"),
        (b"a,b\n", "names no columns"),
        (b"time,a,a\n", "two of one name"),
        (b"time,a\n1,2,3\n", ":2: 3 cells, 2 columns"),
        (b"time,a\n1,x\n", ":2: 'x' is no number"),
        (b"time,a\nyesterday,1\n", ":2: 'yesterday' is no time"),
        (b"time,a\n1e300,1\n", "is no time"),
        (b"time,a\n1,1\n1.0,2\n", ":3: the time 1.0 for the second time"),
        (b"time,a\n\xff,1\n", "no CSV in UTF-8"),
        (b"time,a\n1," + b"9" * 200_000 + b"\n", "no CSV"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_csv(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_csv(tmp_path / "none.csv")
