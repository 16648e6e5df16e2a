"""Reads coverage.py's JSON report, written with `coverage json --show-contexts`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from tidegate.reach.record.foreign import Filling, Places, read_bounded, refused
from tidegate.reach.record.raw import Recording

KIND = "JSON report of coverage.py with contexts"


def read_coverage_json(file: Path, paths: Iterable[str]) -> Recording:
    """Which test executed which line. `paths` are the files of the repository. Raises InputError."""
    try:
        report = msgspec.json.decode(read_bounded(file), type=_Report)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise refused(file, KIND, error) from error
    places = Places(paths)
    names: dict[str, str] = {"": ""}
    filling = Filling(file, "coverage.py")
    for foreign, entry in report.files.items():
        path = places.find(foreign)
        if not path:
            filling.strange(foreign)
            continue
        for line, contexts in entry.contexts.items():
            if not line.isdecimal() or len(line) > 9:
                raise refused(file, KIND, f"{line[:20]!r} is no line number")
            for context in contexts:
                if context not in names:
                    names[context] = places.test_of(context)
                filling.ran(names[context], path, int(line))
    return filling.recording()


# Private


class _File(Struct):
    contexts: dict[str, list[str]] = {}


class _Report(Struct):
    files: dict[str, _File]
