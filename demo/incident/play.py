"""Plays one deployment that goes wrong, or one that does not, and measures what the service makes of it."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from demo.incident.changes import BAD, GOOD, Edit
from demo.incident.story import Story
from tidegate.server.production.document import Kept, read_kept

QUIET_SECONDS = 60.0
"""How long the shop runs before anything is deployed: what it is like has to be seen first."""
LONGEST_SECONDS = 90.0
MOST_COMMITS = 5


class Played(Struct, frozen=True):
    """Seconds after the deployment began; None where it did not happen. `right`: the truth is the first suspect.

    `told` is when the trace named a suspect, in seconds after the alert; `model` whether it names what wrote the line.
    """

    seed: int
    title: str
    symptom: str
    raised: float | None
    alerted: float | None
    told: float | None
    right: bool
    model: bool
    rolled_back: bool
    probability: float | None


def play(folder: Path, seed: int, *, bad: bool = True) -> Played:
    """A deployment of five commits of which one is bad, or none is. Both are drawn by the seed."""
    with Story(folder, seed) as story:
        time.sleep(QUIET_SECONDS)
        chance = story.chance
        edit = BAD[seed % len(BAD)] if bad else GOOD[seed % len(GOOD)]
        edits = [edit, *chance.sample([one for one in GOOD if one is not edit], MOST_COMMITS - 1)]
        chance.shuffle(edits)
        truth = ""
        model = ""
        for each in edits:
            written = story.write(each, agent=True if each is edit else None)
            if each is edit:
                truth, model = written.commit, written.model
        began = story.deploy(edit.service, story.shop.head())
        return _watch(story, seed, edit, began, (truth, model) if bad else ("", ""))


class Seen(Struct, frozen=True):
    """What the service has noticed so far, in words; "" where nothing."""

    regression: str = ""
    alert: str = ""
    incident: str = ""
    suspect: str = ""
    number: int = 0


def look(story: Story) -> Seen:
    """What there is to see now."""
    regressions = _ask(story, "SELECT service, metric FROM regressions ORDER BY id LIMIT 1")
    alerts = _ask(story, "SELECT name, service FROM alerts ORDER BY id LIMIT 1")
    incidents = _ask(story, "SELECT id, title, document FROM incidents ORDER BY id LIMIT 1")
    suspect = ""
    if incidents and (kept := _kept(incidents[0][2])).investigation.ranking.suspects:
        first = kept.investigation.ranking.suspects[0]
        title = next((one.title for one in kept.changes if one.commit == first.change), "")
        wrote = next(
            (f"{one.tool} ({one.model})" if one.tool else "a person" for one in kept.lines), "nobody knows who"
        )
        answers = next((one.human for one in kept.lines if one.human), "nobody")
        suspect = (
            f"Suspect: {first.change[:12]} {title!r}, {first.probability:.0%}; "
            f"its lines are by {wrote}; {answers} answers for them"
        )
    return Seen(
        regression=f"Suspected: {regressions[0][1]} of {regressions[0][0]} got worse" if regressions else "",
        alert=f"Alert: {alerts[0][0]} of {alerts[0][1]}" if alerts else "",
        incident=f"Incident {incidents[0][0]}: {incidents[0][1]}" if incidents else "",
        suspect=suspect,
        number=incidents[0][0] if incidents else 0,
    )


# Private


def _watch(story: Story, seed: int, edit: Edit, began: float, truth: tuple[str, str]) -> Played:
    raised = alerted = told = None
    kept = Kept()
    while time.time() < began + LONGEST_SECONDS:
        time.sleep(0.25)
        seen = time.time() - began
        if raised is None and _ask(story, "SELECT count(*) FROM regressions")[0][0]:
            raised = seen
        if alerted is None and _ask(story, "SELECT count(*) FROM alerts WHERE service != ''")[0][0]:
            alerted = seen
        if told is None and (documents := _ask(story, "SELECT document FROM incidents ORDER BY id")):
            kept = _kept(documents[0][0])
            if kept.investigation.ranking.suspects and alerted is not None:
                told = seen - alerted
        if told is not None and seen > (alerted or 0) + 20:
            break
    if told is not None:
        kept = _kept(_ask(story, "SELECT document FROM incidents ORDER BY id")[0][0])
    first = kept.investigation.ranking.suspects[0] if kept.investigation.ranking.suspects else None
    target = kept.investigation.target
    return Played(
        seed=seed,
        title=edit.title,
        symptom=edit.symptom,
        raised=raised,
        alerted=alerted,
        told=told,
        right=first is not None and first.change == truth[0],
        model=any(line.commit == truth[0] and line.model == truth[1] for line in kept.lines) and bool(truth[0]),
        rolled_back=target is not None and target.service == edit.service and bool(target.revision),
        probability=first.probability if first is not None else None,
    )


def _kept(packed: bytes) -> Kept:
    import zlib

    return read_kept(zlib.decompress(packed))


def _ask(story: Story, query: str) -> list[Any]:
    with sqlite3.connect(f"file:{story.folder / 'data' / 'tidegate.db'}?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


def as_line(played: Played) -> str:
    return msgspec.json.encode(played).decode()
