"""Who may do more, or less, than before in AWS: by every policy that a role, user, group or permission set has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tidegate.facts import Certainty, Severity, Unjudged
from tidegate.infra.iam.actions import action
from tidegate.infra.iam.documents import AFTER, BEFORE, NOTHING, Document, Words
from tidegate.infra.iam.escalate import HAND_OVER, Escalation, opened
from tidegate.infra.iam.grade import Grade, everything, grade
from tidegate.infra.iam.holders import KINDS, POLICY, Side, Source, sides
from tidegate.infra.iam.managed import OPAQUE, grade_of_name
from tidegate.infra.iam.policy import Difference, Grant, difference
from tidegate.infra.iam.say import all_shown, and_, listed, runners, was
from tidegate.infra.severity import ORDER
from tidegate.infra.values import Draft, ResourceChange, World

BACK = "apply the policy as it was before; what was done with the rights meanwhile stays done"
_MADE = re.compile(r"\$\{([^{}]+)\.\w+\}")
MEND = "show the HCL beside the plan, or apply -target the resources that the policy names first"
_NEW: Mapping[Severity, Severity | None] = {"critical": "high", "high": "medium", "medium": "low", "low": None}


def permissions(world: World) -> Iterator[Draft | Unjudged]:
    """What identities gain and lose, policy by policy but judged by all that each has."""
    changed = {one.address: one for one in world.changes if one.type in KINDS and one.action not in ("no-op", "read")}
    if not changed:
        return
    before, after = sides(world)
    bound = {one.address for side in (before, after) for all_ in side.policies.values() for one in all_ if one.through}
    said: dict[tuple[str, Difference], list[_Case]] = {}
    for holder in sorted({*before.policies, *after.policies}):
        old, new = before.policies.get(holder, ()), after.policies.get(holder, ())
        if holder in bound or old == new or (before.named(holder) and not after.named(holder)):
            continue
        case = _case(holder, before, after)
        yield from _unread(case, changed)
        for address, part in _by_giver(case, changed, (before.words, after.words)):
            said.setdefault((address, part.difference), []).append(part)
    made = frozenset(one.address for one in world.changes if one.before is None and one.action != "no-op")
    for (address, _), cases in said.items():
        yield from _drafts(address, cases, world, made)


# Private


class _Case(Struct, frozen=True):
    """One holder: its policies and what it may do on both sides."""

    holder: str
    old: tuple[Source, ...]
    new: tuple[Source, ...]
    before: Document
    after: Document
    difference: Difference
    is_new: bool
    alone: bool
    paths: tuple[Escalation, ...] = ()


def _case(holder: str, before: Side, after: Side) -> _Case:
    old, new = before.policies.get(holder, ()), after.policies.get(holder, ())
    first, second = _union(old, before.words), _union(new, after.words)
    found = difference(first, second)
    if second.unread:
        found = Difference(found.gained, unread=found.unread)
    paths = opened(first, second) if found.widens else ()
    is_new = after.named(holder) and not before.named(holder)
    alone = after.resources.get(holder, before.resources.get(holder, ("",)))[0] == POLICY
    return _Case(holder, old, new, first, second, found, is_new, alone, paths)


def _union(sources: Iterable[Source], words: Words) -> Document:
    whole = NOTHING
    for one in sources:
        whole = whole + one.read(words)
    return whole


def _unread(case: _Case, changed: Mapping[str, ResourceChange]) -> Iterator[Unjudged]:
    if not case.after.unread:
        return
    old = {one.address: one.read(BEFORE).unread for one in case.old}
    for one in case.new:
        unread = [words for words in one.read(AFTER).unread if words not in old.get(one.address, ())]
        change = changed.get(one.address) or changed.get(one.through)
        if unread and change is not None:
            whose = "what it permits" if case.alone else f"what {case.holder} may do by it"
            known = "is known only after apply" if unread[0] == AFTER.unknown else f"depends on {unread[0]}"
            if unread[0].startswith("it is"):
                known = f"cannot be read: {unread[0]}"
            yield Unjudged(change.address, f"The policy {known}; {whose} cannot be judged.", MEND, change.place)


def _by_giver(
    case: _Case, changed: Mapping[str, ResourceChange], words: tuple[Words, Words]
) -> Iterator[tuple[str, _Case]]:
    """The case split over the resources whose change gives or takes; most often there is one."""
    givers = [address for one in (*case.new, *case.old) for address in (one.through, one.address) if address in changed]
    givers = list(dict.fromkeys(givers))
    if not givers:
        return
    if len(givers) == 1:
        yield givers[0], case
        return
    parts: dict[str, tuple[list[Grant], list[Grant], list[Grant]]] = {}
    for place, grants in enumerate((case.difference.gained, case.difference.lost, case.difference.undenied)):
        for grant in grants:
            giver = _giver(grant, case.new if place == 0 else case.old, changed, words[place == 0]) or givers[0]
            parts.setdefault(giver, ([], [], []))[place].append(grant)
    first = next(iter(parts), givers[0])
    for giver, (gained, lost, undenied) in (parts or {first: ([], [], [])}).items():
        found = Difference(tuple(gained), tuple(lost), tuple(undenied))
        yield giver, replace(case, difference=found, paths=case.paths if giver == first else ())


def _giver(grant: Grant, sources: Sequence[Source], changed: Mapping[str, ResourceChange], words: Words) -> str:
    wanted = {one.lower() for one in grant.actions}
    for source in sources:
        address = source.through if source.through in changed else source.address
        if address not in changed:
            continue
        for one in source.read(words).statements:
            has = wanted <= set(one.actions) or {name.lower() for name in one.named} >= wanted
            if has and set(grant.resources) <= set(one.resources):
                return address
    return ""


def _drafts(address: str, cases: Sequence[_Case], world: World, made: frozenset[str]) -> Iterator[Draft]:
    case = cases[0]
    who = _who(cases)
    run = [name for one in cases[:3] for name in runners(one.holder, world.uses_after)]
    if case.difference.gained:
        yield from _widened(address, case, who, run, made)
    if case.paths and not any(everything(one) for one in case.difference.gained):
        yield from _escalated(address, case, who)
    if case.difference.undenied:
        yield from _undenied(address, case, who)
    if case.difference.lost and not case.is_new:
        yield _cut(address, case, who, [name for one in cases[:3] for name in runners(one.holder, world.uses_before)])


def _who(cases: Sequence[_Case]) -> str:
    names = [one.holder for one in cases if not one.alone]
    if not names:
        return "Whoever it is attached to"
    return and_(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def graded(grant: Grant) -> Grade:
    """How grave a grant is; a policy that is known by name only is graded by it."""
    if grant.actions[0].startswith(OPAQUE):
        worst = [grade_of_name(one.removeprefix(OPAQUE)) for one in grant.actions]
        found = max((one for one in worst if one), key=ORDER.index, default=None)
        return Grade(found, "")
    return grade(grant)


def _widened(address: str, case: _Case, who: str, run: Sequence[str], made: frozenset[str]) -> Iterator[Draft]:
    grades = [(graded(one), one) for one in case.difference.gained]
    weighed = [(_weighed(found, one, case, made), found, one) for found, one in grades]
    kept = sorted(
        ((severity, found, one) for severity, found, one in weighed if severity is not None),
        key=lambda row: -ORDER.index(row[0]),
    )
    if not kept:
        return
    severity = kept[0][0]
    certainty: Certainty | None = "possible" if case.before.unread else None
    grants = [one for _, _, one in kept]
    reason = f"{who} may now do {all_shown(grants)} (before: {was(grants, case.before)})."
    if any(found.everything for _, found, _ in kept):
        reason += " That is an administrator: it can do everything in the account and escalate to any role."
    elif words := next((found.words for _, found, _ in kept if found.words), ""):
        reason += f" It can {words}."
    if run:
        reason += f" {listed(run, 3)} {'runs' if len(set(run)) == 1 else 'run'} with it."
    if severity in ("high", "critical"):
        reason += " Name the actions and the resources that are needed instead."
    yield Draft(
        "IAM_WIDEN", severity, address, reason, True, BACK, dependents=tuple(dict.fromkeys(run)), certainty=certainty
    )


def _weighed(found: Grade, grant: Grant, case: _Case, made: frozenset[str]) -> Severity | None:
    if found.severity is None:
        return None
    if found.severity in ("medium", "low") and _all_made(grant, made):
        return _NEW[found.severity]
    if not case.is_new:
        return "high" if found.everything and case.alone else found.severity
    by_name = grant.actions[0].startswith(OPAQUE)
    gives = any(one.startswith("iam:") and action(one).level == "permissions" for one in grant.reach)
    if found.severity in ("high", "critical") and (found.everything or gives or grant.all_but or by_name):
        return "high"
    return _NEW.get(found.severity) if found.harms or found.severity != "high" else "low"


def _all_made(grant: Grant, made: frozenset[str]) -> bool:
    """Whether the resources of a grant come into being by the same change, so that nothing is in them yet."""
    named = [_MADE.match(one) for one in grant.resources]
    return not grant.other_resources and all(one is not None and one[1] in made for one in named)


def _escalated(address: str, case: _Case, who: str) -> Iterator[Draft]:
    wide = [one for one in case.paths if not one.pattern and not one.conditions]
    paths = wide or list(case.paths)
    actions = list(dict.fromkeys(" with ".join(_tied(one.path.actions)) for one in paths))
    severity: Severity = "high" if wide else "medium"
    reach = "any role of the account" if wide else f"every role that {paths[0].pattern or 'the condition'} allows"
    reason = f"{who} may now do {listed(actions, 3)}: it {listed((one.path.name for one in paths), 3)}"
    reason += f", so it can escalate to {reach}, also to one with more rights than its own."
    if any(HAND_OVER in one.path.actions for one in paths):
        reason += f" Limit {HAND_OVER} to the roles that it needs to hand on, with iam:PassedToService."
    else:
        reason += " Limit these actions to the resources that it needs."
    yield Draft("PRIV_ESC", severity, address, reason, True, BACK)


def _tied(actions: tuple[str, ...]) -> list[str]:
    return [actions[0], and_(actions[1:])] if len(actions) > 1 else list(actions)


def _undenied(address: str, case: _Case, who: str) -> Iterator[Draft]:
    grants = [one for one in case.difference.undenied if not only_transport(one)]
    if not grants:
        return
    found = max((_denied_severity(one) for one in grants), key=ORDER.index)
    reason = f"The Deny of {all_shown(grants)} is gone for {who[0].lower() + who[1:] if case.alone else who}: "
    reason += "whatever any of its policies allows of it counts now."
    yield Draft("IAM_WIDEN", found, address, reason, True, BACK)


def _denied_severity(grant: Grant) -> Severity:
    plain = Grant(
        grant.principal, grant.actions, grant.resources, (), grant.reach, grant.all_but, grant.other_resources
    )
    found = graded(plain).severity
    return "high" if found in ("high", "critical") else "medium" if found == "medium" else "low"


def only_transport(grant: Grant) -> bool:
    """Whether a Deny is about encryption in transit alone, which other rules speak of."""
    keys = {"aws:securetransport", "s3:tlsversion"}
    return bool(grant.conditions) and {one.key for one in grant.conditions} <= keys


def _cut(address: str, case: _Case, who: str, run: Sequence[str]) -> Draft:
    lost = case.difference.lost
    services = {one.split(":", 1)[0] for grant in lost for one in grant.actions}
    kept = {name.split(":", 1)[0] for one in case.after.statements if one.allows for name in one.named}
    whole = sorted(one for one in services - kept if one != "*" and "*" not in kept)
    still = [one for one in case.after.statements if one.allows and one.conditions]
    reason = f"{who} may no longer do {all_shown(lost)}."
    terms = [
        str(term) for one in still for term in one.conditions if set(one.named) & {a for g in lost for a in g.actions}
    ]
    if terms:
        reason = f"{who} may do {all_shown(lost)} from now on only if {listed(terms, 2)}."
    denied = [one for one in case.after.statements if not one.allows and one not in case.before.statements]
    if denied and not terms:
        reason += " A new Deny forbids it."
    severity: Severity = "low"
    if run and whole:
        severity = "medium"
        verbs = "runs with it and loses" if len(set(run)) == 1 else "run with it and lose"
        reason += f" {listed(run, 3)} {verbs} all of {listed(whole)}; what still calls it gets AccessDenied."
    return Draft("IAM_CUT", severity, address, reason, True, "apply the policy as it was before")
