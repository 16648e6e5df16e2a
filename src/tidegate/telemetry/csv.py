"""Series from a CSV file: a column of times and a column of numbers for each series.

    time,baseline,canary
    2026-11-21T10:00:00Z,0.120,0.131
    2026-11-21T10:00:15Z,0.118,

`time` is Unix seconds or ISO 8601 (UTC where no zone is written). An empty cell, `NaN` or `null` is no measurement.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tidegate.errors import InputError
from tidegate.telemetry.series import Series

LARGEST_BYTES = 64 << 20
MOST_COLUMNS = 5_000
_MISSING = frozenset(("", "nan", "null", "none", "na", "n/a", "-"))


def read_csv(path: Path) -> tuple[Series, ...]:
    """One series for each column but the first, named as its column. Rows may come in any order.

    Raises InputError where the file cannot be read, is larger than 64 MB, has no `time` first, tells one moment twice
    or holds what is no number; with the line.
    """
    rows = _rows(path)
    header = [cell.strip() for cell in next(rows, (0, []))[1]]
    if len(header) < 2 or header[0].lower() not in ("time", "timestamp"):
        raise InputError("the first line names no columns", where=str(path), mend="begin with time,NAME,NAME")
    if len(header) > MOST_COLUMNS or len(set(header)) < len(header):
        raise InputError("too many columns, or two of one name", where=str(path), mend="give each series its name")
    table: dict[float, list[float]] = {}
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        where = f"{path}:{line}"
        if len(row) != len(header):
            raise InputError(f"{len(row)} cells, {len(header)} columns", where=where, mend="give every column a cell")
        moment = _time(row[0].strip(), where)
        if moment in table:
            raise InputError(f"the time {row[0].strip()} for the second time", where=where, mend="keep one of them")
        table[moment] = [_value(cell.strip(), where) for cell in row[1:]]
    return _series(header[1:], table)


# Private


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"larger than {LARGEST_BYTES >> 20} MB", where=str(path), mend="give a shorter time")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for row in reader:
                yield reader.line_num, row
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path), mend="name a CSV file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError("this is no CSV in UTF-8", where=str(path), mend="write time,NAME,NAME") from error


def _series(names: list[str], table: dict[float, list[float]]) -> tuple[Series, ...]:
    from numpy import array, empty, float64

    times = array(sorted(table), dtype=float64)
    values = array([table[moment] for moment in times.tolist()], dtype=float64) if table else empty((0, len(names)))
    return tuple(
        Series(name=name, labels={"__name__": name}, times=times, values=values[:, index])
        for index, name in enumerate(names)
    )


def _time(text: str, where: str) -> float:
    try:
        moment = float(text)
    except ValueError:
        try:
            read = datetime.fromisoformat(text)
            moment = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            moment = math.nan
    if not math.isfinite(moment) or abs(moment) > 1e11:
        raise InputError(f"{text!r} is no time", where=where, mend="write Unix seconds or 2026-11-21T10:00:00Z")
    return moment


def _value(text: str, where: str) -> float:
    if text.lower() in _MISSING:
        return math.nan
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{text[:40]!r} is no number", where=where, mend="write a number or leave it empty") from error
