"""A drill of a small shop, made once for many tests, and put into a service as a worker would have left it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tests.drill.places import shop
from tidegate.drill.values import Decision, Gate, Inject, Option, Scenario, Session, Source, Truth
from tidegate.facts import to_json
from tidegate.server.drill.child import Making, make
from tidegate.server.service import Service
from tidegate.store import drills, repositories
from tidegate.store.drills import NewDrill


class Played(Struct, frozen=True):
    """The bare repository, and the scenario that was made of it."""

    mirror: Path
    scenario: Scenario


def make_played(folder: Path) -> Played:
    """Builds the shop, mirrors it, and makes a scenario of it in the process that a worker starts for that."""
    repo = shop(folder / "shop")
    mirror = folder / "shop.git"
    subprocess.run(["git", "clone", "-q", "--mirror", str(repo.path), str(mirror)], check=True)
    made = make(Making(str(mirror), "refs/heads/main", "shop", "confident-wrong-migration", 7))
    assert made is not None
    assert made.scenario is not None
    return Played(mirror, made.scenario)


def place(service: Service, played: Played) -> int:
    """Puts the mirror where the service keeps that of acme/shop; the id of the repository."""
    path = service.config.data / "mirrors" / "github" / "acme" / "shop.git"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "-q", "--mirror", str(played.mirror), str(path)], check=True)
    with service.database.read() as connection:
        found = repositories.find(connection, "github", "acme/shop")
    assert found is not None
    return found.id


def ready(service: Service, scenario: Scenario, facilitator: int) -> int:
    """An exercise that is ready to be started."""
    with service.database.write() as connection:
        repository = repositories.find(connection, "github", "acme/shop")
        assert repository is not None
        new = NewDrill(repository=repository.id, facilitator=facilitator, seed=scenario.seed)
        number = drills.add(connection, new, service.now()).id
        assert drills.made(connection, number, to_json(scenario), service.now())
    return number


def short(scenario: Scenario) -> Scenario:
    """The same in four minutes, with words of its own for every role, so that each can be looked for."""
    options = tuple(
        Option(letter, f"choice {letter} of the call", f"leads-{letter}", points, f"why-{letter}")
        for letter, points in (("a", 3), ("b", 0))
    )
    call = next(one for one in scenario.decisions if one.asks == "gate")
    decisions = (
        Decision("first", 1, "first", "on-call", "question-on-call-1", options, 1),
        Decision("second", 2, "first", "incident lead", "question-lead-2", options, 1),
        replace(call, minute=3, role="on-call", minutes=1, question="question-on-call-3"),
    )
    injects = (
        Inject(0, "on-call", "alert", "inject-on-call-0"),
        Inject(0, "support", "customer", "inject-support-0"),
        Inject(2, "on-call", "chat", "inject-on-call-2"),
        Inject(3, "support", "customer", "inject-support-3"),
    )
    return replace(scenario, injects=injects, decisions=decisions, title="SECRET-TITLE (shop)")


HIDDEN = ("SECRET-TITLE", "why-a", "why-b", "points")
"""What nobody but the facilitator reads before it is over."""


def tiny(*, injects: Sequence[int], decisions: Sequence[tuple[int, int]]) -> Scenario:
    """One that says nothing, with something to see at these minutes, and decisions at a minute for so many minutes."""
    options = (Option("a", "a", "", 1, ""), Option("b", "b", "", 0, ""))
    oid = "a" * 40
    return Scenario(
        schema="tidegate.drill/1",
        pattern="none",
        title="",
        seed=0,
        repository="",
        revision=oid,
        at="2026-01-01T00:00:00Z",
        why="",
        source=(Source("", "", ""),),
        story="",
        owners=(),
        owners_file="",
        services=(),
        entry_points=(),
        injects=tuple(Inject(minute, "on-call", "chat", "") for minute in injects),
        decisions=tuple(Decision(f"d{at}", at, "first", "on-call", "", options, most) for at, most in decisions),
        truth=Truth(oid, "", "", "", 0, "", Session("", "", "", "", "")),
        gate=Gate("pass", "", ()),
        criteria=(),
        actions=(),
    )
