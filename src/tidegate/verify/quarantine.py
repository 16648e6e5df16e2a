"""Tests that a project knows to be unreliable: `.tidegate/quarantine.toml` of the base of a change.

[[test]]
name   = "tests.test_net.*"      # class and name of the test; `*` stands for anything
reason = "the mirror is slow"
until  = 2026-12-31
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import re

from msgspec import Struct

from tidegate.change.trees import Tree

PATH = ".tidegate/quarantine.toml"
_ENTRIES_LIMIT = 1000


class Entry(Struct, frozen=True):
    """One pattern with its reason and the last day on which it counts, "" for none."""

    name: str
    reason: str
    until: str


class Quarantine(Struct, frozen=True):
    """The entries that count, and in words what is wrong with the others."""

    entries: tuple[Entry, ...] = ()
    faults: tuple[str, ...] = ()

    def entry_for(self, *names: str) -> Entry | None:
        """The first entry that one of a test's names matches."""
        return next((e for e in self.entries if any(_pattern(e.name).fullmatch(name) for name in names)), None)


def read_quarantine(base: Tree, day: str) -> Quarantine:
    """The entries that hold on this day (YYYY-MM-DD, "" for one that is not known: none with an end holds then)."""
    import tomllib

    content = base.read([PATH]).get(PATH)
    if content is None:
        return Quarantine()
    try:
        found = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        return Quarantine(faults=(f"{PATH} of the base cannot be read ({type(error).__name__})",))
    tests = found.get("test", [])
    if not isinstance(tests, list) or len(tests) > _ENTRIES_LIMIT:
        return Quarantine(faults=(f"{PATH} of the base has no list [[test]] of at most {_ENTRIES_LIMIT}",))
    entries, faults = [], []
    for number, test in enumerate(tests, 1):
        entry = _entry(test, day)
        if isinstance(entry, Entry):
            entries.append(entry)
        else:
            faults.append(f"entry {number} of {PATH} does not count: {entry}")
    return Quarantine(tuple(entries), tuple(faults))


# Private


def _entry(test: object, day: str) -> Entry | str:
    """The entry, or why it does not count."""
    if not isinstance(test, dict):
        return "it is no table"
    name, reason, until = test.get("name"), test.get("reason"), test.get("until")
    if not isinstance(name, str) or not name.replace("*", "").replace(".", "").strip():
        return "it names no test"
    if not isinstance(reason, str) or not reason.strip():
        return "it has no reason"
    if until is None:
        return "it has no day until which it counts"
    try:
        last = until if isinstance(until, dt.date) else dt.date.fromisoformat(until)
    except (TypeError, ValueError):
        return "its `until` is no day such as 2026-12-31"
    end = last.isoformat()[:10]
    if not day or day > end:
        return f"it ended on {end}"
    return Entry(name, reason.strip(), end)


def _pattern(name: str) -> re.Pattern[str]:
    # Brackets are parameters of tests here, not sets of characters.
    return re.compile(fnmatch.translate(re.sub(r"[\[?]", r"[\g<0>]", name)))
