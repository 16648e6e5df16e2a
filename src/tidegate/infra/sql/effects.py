"""What the steps of migrations do to the data and to the service that runs meanwhile.

A table that the same change makes is empty and nobody uses it yet: whatever is done to it afterwards is silent. An
order counts: a table that is dropped and then made again has lost its rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate.facts import Place, Unjudged
from tidegate.infra.sql.deeds import DEEDS, At, Known, Said, Scene
from tidegate.infra.sql.steps import Script, Step, key
from tidegate.infra.values import Draft


def drafts_of(scripts: Sequence[Script], past: Known) -> Iterator[Draft | Unjudged]:
    """What these migrations, in the order that they run in, do to what was there before them."""
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


# Private


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
    )


def _scene(flat: Sequence[tuple[Script, Step]], past: Known) -> Scene:
    made: dict[str, int] = {}
    replaced, added, remade = set(), set(), set()
    proved, enabled, dropped_first = set(), set(), set()
    for place, (_, step) in enumerate(flat):
        table = key(step.table)
        if step.deed == "create table" and not (step.if_exists and past.knows(step.table)):
            made.setdefault(table, place)
        elif step.deed == "rename table" and table in made:
            made.setdefault(key(step.name), place)
            replaced.add(key(step.name))
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
