"""What the steps of migrations do to the data and to the service that runs meanwhile.

A table that the same change makes is empty and nobody uses it yet: whatever is done to it afterwards is silent. An
order counts: a table that is dropped and then made again has lost its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from tidegate.facts import Place, Unjudged
from tidegate.infra.environment import of_path
from tidegate.infra.severity import ORDER
from tidegate.infra.sql.deeds import DEEDS, At, Known, Said, Scene
from tidegate.infra.sql.layouts import root_of
from tidegate.infra.sql.steps import Script, Step, key
from tidegate.infra.values import Draft


def drafts_of(scripts: Sequence[Script], past: Known) -> Iterator[Draft | Unjudged]:
    """What these migrations, in the order that they run in, do to what was there before them."""
    yield from _joined(_drafts(scripts, past))


# Private


def _drafts(scripts: Sequence[Script], past: Known) -> Iterator[Draft | Unjudged]:
    flat = [(script, step) for script in scripts for step in script.steps]
    scene = _scene(flat, past)
    for place, (script, step) in enumerate(flat):
        if step.deed == "computed":
            yield Unjudged(
                script.path,
                f"the migration runs SQL that is put together while it runs: {step.text}",
                "Write the statement out, or have it read by someone who knows the tables.",
                Place(script.path, step.line, step.line),
            )
        elif step.deed in DEEDS and not _is_new(scene, step, place):
            said = DEEDS[step.deed](At(step, scene, script))
            if said is not None:
                yield _draft(said, step, script)


def _draft(said: Said, step: Step, script: Script) -> Draft:
    return Draft(
        said.code,
        said.severity,
        said.what or f"table {step.table}",
        said.reason,
        said.reversible,
        back=said.back,
        certainty="possible" if said.possible else "likely",
        place=Place(script.path, step.line, step.line),
        environment=of_path(root_of(script.path)) or "unknown",
    )


def _joined(drafts: Iterable[Draft | Unjudged]) -> Iterator[Draft | Unjudged]:
    """What locks one table several times in one migration is said once."""
    locks: dict[tuple[str, str], list[Draft]] = {}
    for one in drafts:
        if isinstance(one, Draft) and one.code == "LOCK":
            table = (
                one.address.partition(" ")[2].rpartition(".")[0] if one.address.startswith("column ") else one.address
            )
            locks.setdefault((table.removeprefix("table "), one.place.path), []).append(one)
        else:
            yield one
    for group in locks.values():
        first = max(group, key=lambda one: ORDER.index(one.severity))
        more = len(group) - 1
        words = f" {more} more {'steps lock' if more > 1 else 'step locks'} it in this migration." if more else ""
        yield replace(first, reason=first.reason + words)


def _scene(flat: Sequence[tuple[Script, Step]], past: Known) -> Scene:
    made: dict[str, int] = {}
    copied, replaced, added, remade = set(), set(), set(), set()
    proved, enabled, dropped_first = set(), set(), set()
    for place, (_, step) in enumerate(flat):
        table = key(step.table)
        if step.deed == "create table" and not (step.if_exists and past.knows(step.table)):
            made.setdefault(table, place)
        elif step.deed == "rename table" and table in made:
            made.setdefault(key(step.name), place)
            replaced.add(key(step.name))
        elif step.deed == "copy":
            copied.add(table)
        elif step.deed == "add column":
            added.add((table, step.name.lower()))
        elif step.deed.startswith("create "):
            remade.add((step.deed.removeprefix("create "), key(step.name)))
        elif step.deed in ("add check", "validate"):
            proved.add(f"{table} {step.name.lower()}")
        elif step.deed == "enable trigger":
            enabled.add(table)
    for place, (_, step) in enumerate(flat):
        later = made.get(key(step.table), -1) > place
        if step.deed == "drop table" and step.if_exists and later and not past.knows(step.table):
            dropped_first.add(place)
    return Scene(
        made,
        frozenset(copied),
        frozenset(replaced),
        frozenset(added),
        frozenset(remade),
        frozenset(proved),
        frozenset(enabled),
        frozenset(dropped_first),
        past,
    )


def _is_new(scene: Scene, step: Step, place: int) -> bool:
    """Whether a step concerns a table that the change itself has made by then. Rights are given all the same."""
    if step.deed in ("grant public", "grant power", "drop schema", "drop database", "drop owned"):
        return False
    return scene.made.get(key(step.table), place + 1) <= place or place in scene.dropped_first
