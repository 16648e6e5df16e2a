"""From what the readers found to effects: every rule asked, each draft weighed, each effect said once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from tidegate.facts import Actor, Certainty, DriftFact, Effect, Place, Unjudged
from tidegate.infra.environment import Environment, of_path, of_values
from tidegate.infra.environment import named as environment_named
from tidegate.infra.quoted import without_secrets
from tidegate.infra.severity import ORDER, severity_of
from tidegate.infra.values import Draft, Found, ResourceChange, Rule, World

MOST_DEPENDENTS = 12


class Judgement(Struct, frozen=True):
    """Everything that is said of an infrastructure change.

    `effects` stand with the gravest first, of equal ones that of a whole stack first.
    """

    effects: tuple[Effect, ...]
    unjudged: tuple[Unjudged, ...]
    drift: tuple[DriftFact, ...]
    worlds: tuple[World, ...]
    removals: int
    files: tuple[str, ...]


def judge(found: Sequence[Found], rules: Iterable[Rule], actor: Actor) -> Judgement:
    """The effects of what was found. A world of code that a plan covers speaks only of what no plan shows."""
    asked = tuple(rules)
    planned = {address for one in found for world in one.worlds if _is_plan(world) for address in _known(world)}
    effects: list[Effect] = []
    unjudged: list[Unjudged] = []
    for one in found:
        unjudged += one.unjudged
        effects += [_effect(draft, None, None, actor) for draft in one.drafts if _speaks(draft, planned)]
        for world in one.worlds:
            changes = {change.address: change for change in world.changes}
            for said in (said for rule in asked for said in _answers(rule, world)):
                if isinstance(said, Unjudged):
                    unjudged.append(said)
                elif _is_plan(world) or _speaks(said, planned):
                    effects.append(_effect(said, world, changes.get(said.address), actor))
    whole = {world.name for one in found for world in one.worlds}
    return Judgement(
        effects=tuple(sorted(_merged(effects), key=lambda one: (-_rank(one), one.address not in whole, _order(one)))),
        unjudged=tuple(dict.fromkeys(unjudged)),
        drift=tuple(dict.fromkeys(drift for one in found for drift in one.drift)),
        worlds=tuple(world for one in found for world in one.worlds),
        removals=sum(change.destroyed for one in found for world in one.worlds for change in world.changes),
        files=tuple(sorted({path for one in found for path in one.files})),
    )


def environment_of(world: World, change: ResourceChange | None, place: Place) -> Environment:
    """The environment of a resource: what it says itself, what its address says, its folder, the whole stack."""
    if change is not None:
        for values in (change.before, change.after):
            if values is not None and (found := of_values(values)):
                return found
        if found := environment_named(change.address):
            return found
    return of_path(place.path) or environment_named(world.environment) or of_path(world.name)


# Private


def _answers(rule: Rule, world: World) -> list[Draft | Unjudged]:
    """What a rule says; one that fails by itself leaves the others standing, and what it would have said unjudged."""
    said: list[Draft | Unjudged] = []
    try:
        said.extend(rule(world))
    except Exception as error:  # noqa: BLE001 the fence around a rule
        reason = f"the rule {rule.__module__.rpartition('.')[2]} failed ({type(error).__name__})"
        said.append(Unjudged(world.name, reason, "tell us, with what it was asked about"))
    return said


def _is_plan(world: World) -> bool:
    return world.source in ("terraform plan", "change set")


def _known(world: World) -> Iterator[str]:
    yield from world.before
    yield from world.after
    yield from (change.address for change in world.changes)


def _speaks(draft: Draft, planned: set[str]) -> bool:
    """Whether a draft from code alone still says something beside the plans that were read."""
    return draft.code_only or not planned or not any(_covers(draft.address, one) for one in planned)


def _covers(code: str, planned: str) -> bool:
    return planned == code or planned.startswith((f"{code}[", f"{code}."))


def _effect(draft: Draft, world: World | None, change: ResourceChange | None, actor: Actor) -> Effect:
    place = draft.place if draft.place.path else change.place if change is not None else Place("")
    environment: Environment
    if draft.environment:
        environment = environment_named(draft.environment)
    elif world is not None:
        environment = environment_of(world, change, place)
    else:
        environment = environment_named(draft.address) or of_path(place.path)
    dependents = draft.dependents
    if not dependents and world is not None and (change is None or change.destroyed or change.action == "update"):
        dependents = tuple(islice(world.uses_before.dependents(draft.address), MOST_DEPENDENTS))
    return Effect(
        code=draft.code,
        severity=severity_of(draft, environment, actor),
        address=draft.address,
        reason=without_secrets(draft.reason),
        reversible=draft.reversible,
        back=draft.back,
        dependents=dependents,
        path=draft.path,
        mitigations=tuple(one.words for one in draft.mitigations),
        certainty=draft.certainty or _certainty(world, change),
        environment=environment,
        source=world.source if world is not None else "",
        place=place,
    )


def _certainty(world: World | None, change: ResourceChange | None) -> Certainty:
    """That of the change; what is said of a stack as a whole is as certain as what the stack is read from."""
    if change is not None:
        return change.certainty
    return "certain" if world is None or _is_plan(world) else "likely"


def _merged(effects: Iterable[Effect]) -> Iterator[Effect]:
    """Each code once for an address and a place: the gravest, with the reasons of the others beside it."""
    grouped: dict[tuple[str, str, Place], list[Effect]] = {}
    for effect in effects:
        grouped.setdefault((effect.code, effect.address, effect.place), []).append(effect)
    for group in grouped.values():
        group.sort(key=_order)
        first = group[0]
        if len(group) == 1:
            yield first
            continue
        yield replace(
            first,
            reason=" ".join(dict.fromkeys(one.reason for one in group)),
            reversible=all(one.reversible for one in group),
            dependents=tuple(dict.fromkeys(name for one in group for name in one.dependents)),
            mitigations=tuple(dict.fromkeys(words for one in group for words in one.mitigations)),
        )


_CERTAINTY: Mapping[str, int] = {"certain": 0, "likely": 1, "possible": 2}


def _rank(effect: Effect) -> int:
    return ORDER.index(effect.severity)


def _order(effect: Effect) -> tuple[int, int, str, str, str]:
    return (
        -_rank(effect),
        _CERTAINTY[effect.certainty],
        effect.address,
        effect.code,
        effect.reason,
    )
