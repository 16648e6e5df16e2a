"""Which words stood in lines that had to be repaired: log-odds learnt from what fixes were traced to.

The text of the traced lines is read where the fix found it, and compared with the other lines of the same files. A word
counts once a line, and only where several fixes agree; few occurrences are shrunk toward no difference (an informative
Dirichlet prior: Monroe, Colaresi and Quinn, "Fightin' Words", 2008).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from tidegate.change.git import Repository
from tidegate.risk.values import Trace

MOST_FIXES = 2_000
"""The newest of them are read; more would not change the table and would cost minutes."""
MOST_FILES = 8
LARGEST_BYTES = 256 << 10
MOST_REMEMBERED = 20_000
"""Lines whose words are remembered for the next file."""
LEAST_FIXES = 4
MOST_WORDS = 2_000
PRIOR_WORDS = 2_000.0
"""So many words of ordinary text stand behind both sides."""
STRONGEST = round(math.log(5), 3)
"""No word is believed beyond five times as often: a name that is nowhere else any more would be told as hundreds."""
CERTAIN = 1.64
"""Standard errors that a word must lie away from no difference (90 %)."""


def words_of(line: bytes) -> frozenset[str]:
    """The words of a line of code in small letters: names and their parts, from two to thirty letters."""
    found = set()
    for name in _NAME.findall(line[:_LONGEST]):
        found.add(name.lower())
        parts = _PART.findall(name)
        if len(parts) > 1:
            found.update(part.lower() for part in parts if len(part) > 2)
    return frozenset(word.decode("ascii") for word in found if 2 <= len(word) <= 30)


def learn_words(repository: Repository, traces: Mapping[str, Trace]) -> dict[str, float]:
    """Word to log-odds of standing in a line that had to be repaired, from the traces of fixes, the oldest first.

    Words without a difference that can be told from chance are left out. Two processes.
    """
    asked = dict(_questions(list(traces.values())[-MOST_FIXES:]))
    bad, good = Counter[str](), Counter[str]()
    agree: dict[str, set[str]] = {}
    # States of one file follow each other: most of their lines are the same.
    seen: dict[bytes, frozenset[str]] = {}
    for blob in repository.read_blobs(sorted(asked, key=_by_path), limit=LARGEST_BYTES):
        if blob.kind != "blob" or b"\0" in blob.content[:8000]:
            continue
        here = Counter[str]()
        for number, line in enumerate(blob.content.split(b"\n"), 1):
            words = seen.get(line)
            if words is None:
                words = seen[line] = words_of(line)
            (here if number in asked[blob.name] else good).update(words)
        bad.update(here)
        for word in here:
            agree.setdefault(word, set()).add(blob.name.partition("^")[0])
        if len(seen) > MOST_REMEMBERED:
            seen.clear()
    return _log_odds(bad, good, {word for word, fixes in agree.items() if len(fixes) >= LEAST_FIXES})


# Private

_LONGEST = 1_000
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]+")
_PART = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def _by_path(question: str) -> tuple[str, str]:
    fix, _, path = question.partition(":")
    return path, fix


def _questions(traces: Iterable[Trace]) -> Iterable[tuple[str, set[int]]]:
    """`FIX^:PATH` to the lines there that the fix repaired and that its likeliest suspect wrote."""
    for trace in traces:
        for suspect in trace.suspects[:1]:
            for one in suspect.lines[:MOST_FILES]:
                if "\n" not in one.path and "\\x" not in one.path:
                    yield f"{trace.fix}^:{one.path}", set(one.lines)


def _log_odds(bad: Counter[str], good: Counter[str], words: Iterable[str]) -> dict[str, float]:
    all_bad, all_good = sum(bad.values()), sum(good.values())
    if not all_bad or not all_good:
        return {}
    whole = all_bad + all_good
    found = {}
    for word in words:
        usual = PRIOR_WORDS * (bad[word] + good[word]) / whole
        a, b = bad[word] + usual, good[word] + usual
        odds = math.log(a / (all_bad + PRIOR_WORDS - a)) - math.log(b / (all_good + PRIOR_WORDS - b))
        if abs(odds) > CERTAIN * math.sqrt(1 / a + 1 / b):
            found[word] = round(max(-STRONGEST, min(odds, STRONGEST)), 3)
    most = sorted(found.items(), key=lambda one: (-abs(one[1]), one[0]))[:MOST_WORDS]
    return dict(sorted(most))
