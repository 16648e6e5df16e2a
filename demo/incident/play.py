"""Plays deployments into a running shop, bad ones and good ones, and measures what the service makes of each."""

from __future__ import annotations

import sqlite3
import time
import zlib
from typing import Any

import msgspec
from msgspec import Struct

from demo.incident.changes import BAD, GOOD, Edit
from demo.incident.repository import Written
from demo.incident.story import Story
from tidegate.server.production.document import Kept, read_kept

WATCHED_SECONDS = 45.0
"""How long a good deployment is watched, and how long a bad one has for its alert."""
AFTER_ALERT_SECONDS = 15.0
CALM_SECONDS = 100.0
"""At most so long until the incident is over, once the bad revision was taken back."""
OTHERS = 2
"""Good commits that go out with each bad one."""


class Played(Struct, frozen=True):
    """Seconds after the deployment began; None where it did not happen. `right`: the truth is the first suspect.

    `told` is when the trace named a suspect, in seconds after the alert; `model`: it names what wrote the bad line;
    `back`: the roll-back target is the revision that ran before; `over`: the incident ended as a roll-back.
    """

    title: str
    symptom: str
    raised: float | None
    alerted: float | None = None
    told: float | None = None
    right: bool = False
    model: bool = False
    back: bool = False
    over: bool = False
    probability: float | None = None


class Seen(Struct, frozen=True):
    """What the service has noticed so far, in words; "" where nothing."""

    regression: str = ""
    alert: str = ""
    incident: str = ""
    suspect: str = ""
    number: int = 0


def play_bad(story: Story, edit: Edit) -> Played:
    """A deployment of several commits of which one is bad. It is taken back at the end, in the repository too."""
    before = story.shop.head()
    edits = [edit, *story.chance.sample([one for one in _open(story) if one.title != edit.title], OTHERS)]
    story.chance.shuffle(edits)
    truth = {each.title: story.write(each, agent=True if each is edit else None) for each in edits}[edit.title]
    known = _newest(story)
    began = story.deploy(edit.service, story.shop.head())
    played = _follow(story, edit, began, truth, known)
    story.take_back(before)
    story.deploy(edit.service, before)
    until = time.time() + CALM_SECONDS
    while time.time() < until:
        ended = _ask(story, f"SELECT state, resolution FROM incidents WHERE id > {known[2]} ORDER BY id")
        if ended and all(state == "resolved" for state, _ in ended):
            return msgspec.structs.replace(played, over=ended[0][1] == "roll_back")
        time.sleep(0.5)
    return played


def play_good(story: Story) -> Played:
    """A deployment of one good commit, which is taken back in the repository only."""
    before = story.shop.head()
    edit = story.chance.choice(_open(story))
    story.write(edit)
    known = _newest(story)
    began = story.deploy(edit.service, story.shop.head())
    raised = None
    while time.time() < began + WATCHED_SECONDS:
        if raised is None and _ask(story, f"SELECT 1 FROM regressions WHERE id > {known[0]}"):
            raised = time.time() - began
        time.sleep(0.5)
    story.take_back(before)
    story.deploy(edit.service, before)
    return Played(title=edit.title, symptom="", raised=raised)


def look(story: Story) -> Seen:
    """What there is to see now."""
    regressions = _ask(story, "SELECT service, metric FROM regressions ORDER BY id LIMIT 1")
    alerts = _ask(story, "SELECT name, service FROM alerts ORDER BY id LIMIT 1")
    incidents = _ask(story, "SELECT id, title, document FROM incidents ORDER BY id LIMIT 1")
    suspect = ""
    if incidents and (kept := _kept(incidents[0][2])).investigation.ranking.suspects:
        first = kept.investigation.ranking.suspects[0]
        title = next((one.title for one in kept.changes if one.commit == first.change), "")
        mine = [one for one in kept.lines if one.commit == first.change]
        wrote = next((f"{one.tool} ({one.model})" if one.tool else "a person" for one in mine), "nobody knows who")
        answers = next((one.human for one in mine if one.human), "nobody")
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


def _open(story: Story) -> list[Edit]:
    """Good edits that the shop does not have yet."""
    texts = {one: (story.shop.path / "shop" / f"{one}.py").read_text() for one in story.production.deployed}
    return [one for one in GOOD if all(texts[one.service].count(old) == 1 for old, _ in one.parts)]


def _follow(story: Story, edit: Edit, began: float, truth: Written, known: tuple[int, int, int]) -> Played:
    raised = alerted = told = None
    kept = Kept()
    while time.time() < began + WATCHED_SECONDS + (AFTER_ALERT_SECONDS if alerted else 0):
        time.sleep(0.25)
        seen = time.time() - began
        if raised is None and _ask(story, f"SELECT 1 FROM regressions WHERE id > {known[0]}"):
            raised = seen
        if alerted is None and _ask(story, f"SELECT 1 FROM alerts WHERE id > {known[1]} AND ended IS NULL"):
            alerted = seen
        found = _ask(story, f"SELECT document FROM incidents WHERE id > {known[2]} ORDER BY id LIMIT 1")
        if found and alerted is not None:
            kept = _kept(found[0][0])
            if told is None and kept.investigation.ranking.suspects:
                told = seen - alerted
        if told is not None and alerted is not None and seen > alerted + AFTER_ALERT_SECONDS:
            break
    ranking, target = kept.investigation.ranking, kept.investigation.target
    first = ranking.suspects[0] if ranking.suspects else None
    return Played(
        title=edit.title,
        symptom=edit.symptom,
        raised=raised,
        alerted=alerted,
        told=told,
        right=first is not None and first.change == truth.commit,
        model=any(line.commit == truth.commit and line.model == truth.model for line in kept.lines),
        back=target is not None and target.service == edit.service and bool(target.revision),
        probability=first.probability if first is not None else None,
    )


def _newest(story: Story) -> tuple[int, int, int]:
    return tuple(  # type: ignore[return-value]
        _ask(story, f"SELECT coalesce(max(id), 0) FROM {table}")[0][0]
        for table in ("regressions", "alerts", "incidents")
    )


def _kept(packed: bytes) -> Kept:
    return read_kept(zlib.decompress(packed))


def _ask(story: Story, query: str) -> list[Any]:
    with sqlite3.connect(f"file:{story.folder / 'data' / 'tidegate.db'}?mode=ro", uri=True, timeout=10) as database:
        return database.execute(query).fetchall()


__all__ = ["BAD", "Played", "Seen", "look", "play_bad", "play_good"]
