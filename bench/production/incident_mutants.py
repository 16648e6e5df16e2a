"""Copies of incidents with other names, other times, another order and a source less: what a memorised answer fails on.

Names are replaced throughout an incident at the level of words inside identifiers: those of services, and all that
fewer than a quarter of the incidents use and no table of ours knows. So `paymentservice.readThreeDSResult` may become
`korvelservice.readZimpuDSResult` in logs, metrics, spans, paths and diffs alike.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from bench.production.incident_folder import Folder, Record
from tidegate.operate.evidence.kinds import KINDS
from tidegate.operate.symptoms import words

SOURCES = ("logs", "metrics", "traces", "patterns", "flags")
INCIDENTS = "*"
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_HASH = re.compile(r"\b[0-9a-f]{12,40}\b")
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


def mutate(folder: Folder, spread: Mapping[str, int], seed: int) -> tuple[Folder, str]:
    """A copy with all four mutations, and the name of the source that it lost. `spread` is that of `count_words`."""
    dice = random.Random(f"{folder.name} {seed}")
    lost = SOURCES[(seed + sum(map(ord, folder.name))) % len(SOURCES)]
    mutant = _rename(folder, spread, dice)
    mutant = _shift(mutant, dice)
    mutant = _drop(mutant, lost, dice)
    return _shuffle(mutant, dice), lost


def count_words(everyone: Sequence[Folder]) -> Counter[str]:
    """In how many incidents each word occurs: what most of them share is language and not a name."""
    return Counter(word for one in everyone for word in _words_of(one)) + Counter({INCIDENTS: len(everyone)})


# Private


def _rename(folder: Folder, spread: Mapping[str, int], dice: random.Random) -> Folder:
    ours = _words_of(folder)
    services = {part.lower() for name in _services(folder) for part in _PART.findall(name)} - {"service", "svc", "kube"}
    kept = _known()
    rare = {
        word
        for word in ours
        if len(word) > 3 and spread.get(word, 0) <= max(2, spread[INCIDENTS] // 4) and word not in kept
    }
    # Plurals and endings of one word get one new word, or a symptom would no longer be about its code.
    table = {stem: _invent(dice) for stem in sorted({words.stem(word) for word in rare | (services - kept)})}

    def swap(match: re.Match[str]) -> str:
        word = match.group()
        new = table.get(words.stem(word.lower()))
        if new is None:
            return word
        return new.upper() if word.isupper() and len(word) > 1 else new.capitalize() if word[0].isupper() else new

    def text(value: str) -> str:
        if _TIME.fullmatch(value) or _HASH.fullmatch(value):
            return value
        return _PART.sub(swap, value)

    return _everywhere(folder, text, keys={"sha", "commit_sha", "trace_id", "span_id", "parent_id", "status"})


def _shift(folder: Folder, dice: random.Random) -> Folder:
    days = timedelta(days=dice.randint(-400, 400), seconds=dice.randint(-40_000, 40_000))

    def text(value: str) -> str:
        return _TIME.sub(lambda match: _later(match.group(), days), value)

    moved = _everywhere(folder, text, keys=set())
    deploys = [
        {**one, "timestamp": _later(one["timestamp"], timedelta(seconds=-dice.randint(0, 180)))}
        for one in moved.deploys
    ]
    return replace(moved, deploys=deploys)


def _drop(folder: Folder, lost: str, dice: random.Random) -> Folder:
    if lost != "metrics":
        return replace(folder, **{lost: []})
    names = sorted({(row["service"], row["metric"]) for row in folder.metrics})
    gone = set(dice.sample(names, len(names) // 2))
    return replace(folder, metrics=[row for row in folder.metrics if (row["service"], row["metric"]) not in gone])


def _shuffle(folder: Folder, dice: random.Random) -> Folder:
    parts = ("logs", "metrics", "traces", "patterns", "commits", "deploys", "flags")
    return replace(folder, **{part: dice.sample(getattr(folder, part), len(getattr(folder, part))) for part in parts})


def _later(text: str, by: timedelta) -> str:
    moved = datetime.fromisoformat(text) + by
    return moved.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _invent(dice: random.Random) -> str:
    return "".join(dice.choice(_CONSONANTS) + dice.choice(_VOWELS) for _ in range(3)) + dice.choice("xkm")


def _everywhere(folder: Folder, change: Callable[[str], str], keys: set[str]) -> Folder:
    def walk(value: Any, key: str = "") -> Any:
        if isinstance(value, str):
            return value if key in keys else change(value)
        if isinstance(value, list):
            return [walk(one, key) for one in value]
        if isinstance(value, dict):
            return {name: walk(one, name) for name, one in value.items()}
        return value

    parts = ("alert", "logs", "metrics", "traces", "patterns", "commits", "deploys", "flags")
    return replace(folder, **{part: walk(getattr(folder, part)) for part in parts})


def _words_of(folder: Folder) -> set[str]:
    found: set[str] = set()

    def note(value: str) -> str:
        found.update(part.lower() for part in _PART.findall(value))
        return value

    _everywhere(replace(folder, metrics=_names(folder.metrics)), note, keys={"sha", "commit_sha", "author", "actor"})
    return found


def _names(rows: list[Record]) -> list[Record]:
    return [{"service": service, "metric": metric} for service, metric in {(r["service"], r["metric"]) for r in rows}]


def _services(folder: Folder) -> set[str]:
    return {str(one["service"]) for part in (folder.metrics, folder.deploys, folder.traces) for one in part}


def _known() -> frozenset[str]:
    """Words that our tables give a meaning: subjects, what errors say, and the names of languages and tools."""
    text = " ".join([*words.known_words(), *(" ".join((*kind.phrases, *kind.series)) for kind in KINDS)])
    return frozenset(re.findall(r"[a-z]{2,}", text.lower()))
