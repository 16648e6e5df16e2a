"""The recorder's raw files, one a process, put together: which code each test started."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from tidegate.errors import InputError

LINE = "<line>"
"""The name of a code of which only an executed line is known."""
FILE_LIMIT_BYTES = 512 << 20

TestState: TypeAlias = Literal["passed", "failed", "skipped"]


class Code(Struct, frozen=True, array_like=True):
    """One code object: its file, the line where it begins (decorators included) and its qualified name there."""

    path: str
    line: int
    name: str

    @property
    def outermost(self) -> str:
        """The definition that it belongs to and that a person would name; "" for the module.

        A function inside a function belongs to the outer one, a lambda or comprehension to what is around it.
        """
        name = self.name.split(".<locals>", 1)[0]
        while name.endswith(">"):
            name = name.rpartition(".")[0] if "." in name else ""
        return name


class RecordedTest(Struct, frozen=True):
    """One test, parameters folded. `codes` has one bit for each code of the recording, fixtures included.

    `name` is "tests/test_x.py:Class.test_name" by where it is collected; `defined` is the code of its function.
    `node` is what pytest selects it by. A failed test ran only in part; of a skipped one nothing is known.
    """

    name: str
    defined: Code | None
    codes: int
    state: TestState
    node: str = ""


class Recording(Struct, frozen=True):
    """One run. `outside` is what ran outside of any test: at import and collection. `gaps` say what was not heard."""

    how: str
    codes: tuple[Code, ...]
    tests: tuple[RecordedTest, ...]
    outside: int
    gaps: tuple[str, ...]


def read_recording(folder: Path) -> Recording:
    """All raw files of a folder as one recording. Raises InputError when there is none, or one is not whole."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise InputError(
            "the run left no recording",
            where=str(folder),
            mend="record a command that runs pytest, without -p no:... or an isolated interpreter (-I, -E)",
        )
    merge = _Merge()
    for raw in sorted((_read(file) for file in files), key=lambda raw: bool(raw.outer)):
        merge.add(raw)
    return merge.recording(sorted(str(file) for file in folder.glob("*.part")))


def bits(mask: int) -> Iterable[int]:
    """The numbers of the bits that are set, the lowest first."""
    text = bin(mask)[:1:-1]
    at = text.find("1")
    while at >= 0:
        yield at
        at = text.find("1", at + 1)


# Private


class _RawTest(Struct):
    codes: str
    node: str = ""
    defined: Code | None = None
    fixtures: list[str] = []
    ran: bool = False
    failed: bool = False
    skipped: bool = False


class _Raw(Struct):
    format: Literal["tidegate-reach-raw"]
    version: Literal[1]
    how: str
    outer: str
    codes: list[Code]
    tests: dict[str, _RawTest]
    fixtures: dict[str, str]
    outside: str
    gaps: list[str]


class _Merge:
    """Raw files one after the other; codes get new numbers, the same for the same code."""

    def __init__(self) -> None:
        self._how: set[str] = set()
        self._codes: dict[Code, int] = {}
        self._tests: dict[str, _RawTest] = {}
        self._masks: dict[str, int] = {}
        self._outside = 0
        self._gaps: set[str] = set()

    def add(self, raw: _Raw) -> None:
        self._how.add(raw.how)
        self._gaps.update(raw.gaps)
        numbers = [self._codes.setdefault(code, len(self._codes)) for code in raw.codes]
        fixtures = {key: _renumber(mask, numbers) for key, mask in raw.fixtures.items()}
        for name, test in raw.tests.items():
            mask = _renumber(test.codes, numbers)
            for fixture in test.fixtures:
                mask |= fixtures.get(fixture, 0)
            self._masks[name] = self._masks.get(name, 0) | mask
            known = self._tests.setdefault(name, test)
            known.ran, known.failed = known.ran or test.ran, known.failed or test.failed
        outside = _renumber(raw.outside, numbers)
        if raw.outer in self._masks:
            self._masks[raw.outer] |= outside
        else:
            self._outside |= outside

    def recording(self, broken: list[str]) -> Recording:
        gaps = self._gaps | {f"a process ended while it wrote its recording: {name}" for name in broken}
        tests = tuple(
            RecordedTest(name, test.defined, self._masks[name], _state(test), test.node)
            for name, test in sorted(self._tests.items())
        )
        return Recording("+".join(sorted(self._how)), tuple(self._codes), tests, self._outside, tuple(sorted(gaps)))


def _read(file: Path) -> _Raw:
    if file.stat().st_size > FILE_LIMIT_BYTES:
        raise InputError("a raw recording is too large", where=str(file), mend="record fewer tests at a time")
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Raw)
    except msgspec.MsgspecError as error:
        raise InputError(f"this is no raw recording ({error})", where=str(file), mend="record again") from error


def _renumber(mask: str, numbers: list[int]) -> int:
    found = bytearray(max(numbers, default=0) // 8 + 1)
    for bit in bits(int(mask, 16)):
        if bit < len(numbers):
            found[numbers[bit] >> 3] |= 1 << (numbers[bit] & 7)
    return int.from_bytes(found, "little")


def _state(test: _RawTest) -> TestState:
    if test.failed:
        return "failed"
    return "passed" if test.ran else "skipped"
