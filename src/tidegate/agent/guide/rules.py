"""The policy's rules as what an agent must do, or must ask a person for, the strictest and most often broken first.

A rule of the shipped pack that nobody adjusted is said in our words. Of any other rule the obligations are said, which
are ours too, and its title stands in quotes behind them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import msgspec
from msgspec import Struct

from tidegate.agent.guide import quote
from tidegate.agent.guide.sources import Found
from tidegate.agent.guide.values import Item
from tidegate.change.git import Repository
from tidegate.policy.rules import PACK_ORIGIN, Policy, Rule

OF_OTHERS = " who did not make the change"
"""What every approval asks; it is said once, above the rules."""
EFFECTS = ("block", "hold", "warn", "note")


class Place(Struct, frozen=True):
    """What is asked about: a path's domains by its name, whether it is source, and whether it is critical.

    `whole` is the question for the whole repository, to which every rule belongs.
    """

    whole: bool = True
    kind: str = "source"
    domains: frozenset[str] = frozenset()
    critical: bool = False


def rule_items(
    policy: Policy, place: Place, origins: Mapping[str, Found], broken: Mapping[str, int] | None = None
) -> tuple[Item, ...]:
    """The enforced rules that can hold a change of this place. `broken`: how often each held a change of the past.

    `origins` says where the repository's own rules stand.
    """
    counts = broken or {}
    rules = [
        rule for rule in policy.rules if rule.mode == "enforce" and rule.effect != "note" and _concerns(rule, place)
    ]
    free = policy.settings.provenance.trailers == "ignore"
    nothing = _NOTHING_TO_DO | ({"trailers-as-agreed"} if free else set())
    rules = [rule for rule in rules if rule.id not in nothing or rule.origin != PACK_ORIGIN]
    number = {rule.id: at for at, rule in enumerate(policy.rules)}
    rules.sort(
        key=lambda rule: (
            EFFECTS.index(rule.effect),
            -counts.get(rule.id, 0),
            rule.origin == PACK_ORIGIN,
            _by_people(rule),
            number[rule.id],
        )
    )
    found = [_item(rule, origins, counts) for rule in rules]
    if policy.settings.provenance.trailers == "forbid":
        found = [msgspec.structs.replace(one, says=one.says.replace(_DECLARE, _KEEP_SILENT)) for one in found]
    return tuple(found)


def find_origins(repository: Repository, revision: str, ids: Collection[str]) -> dict[str, Found]:
    """Where each rule of these ids stands in the settings files of the revision; those of the pack stand nowhere."""
    from tidegate.change.configuration import read_rule_files

    found: dict[str, Found] = {}
    for source in read_rule_files(repository, revision) if revision else ():
        text = source.text.decode("utf-8", "replace")
        for match in re.finditer(r"^[ \t]*id[ \t]*=[ \t]*[\"']([a-z0-9-]+)[\"']", text, re.MULTILINE):
            if match[1] in ids:
                found.setdefault(match[1], Found(source.name, text[: match.start()].count("\n") + 1))
    return found


def shadowed(policy: Policy) -> tuple[str, ...]:
    """Ids of the rules that are tried and not obeyed, and of drafts."""
    return tuple(rule.id for rule in policy.rules if rule.mode != "enforce")


# Private

_NOTHING_TO_DO = frozenset(
    ("facts-complete", "note-faults", "scrutiny-pace", "infra-worth-knowing", "provenance-conflicts")
)
"""Rules of the pack that an agent meets by doing everything else."""
_INFRA = frozenset(("infrastructure", "network", "ci-cd", "migrations"))

_DECLARE = "A commit with lines of an agent declares it in a trailer (`tidegate annotate --trailer`)"
_KEEP_SILENT = "No commit message declares an agent in a trailer: the notes say who wrote what"
_WORDS: Mapping[str, str] = {
    "annotation-required": "Every line says who or what wrote it: have hooks record it"
    " (`tidegate agent install git`), or declare it with `tidegate annotate`",
    "accountable-human": "A person answers for every line of an agent: `tidegate annotate --by` names them",
    "trailers-as-agreed": _DECLARE,
    "breadth-must-be-split": "Touch at most 3 sensitive areas in one change; split what is broader",
    "size-beyond-review": "Keep a change under 400 lines of source",
    "intent-stated": "Say in the description what changes and why, from 200 lines on or where critical files change",
    "rollback-planned": "For migrations and infrastructure, say in the description how to take it back",
    "ai-changes-carry-tests": "Bring tests with more than 20 lines of source that an agent wrote",
    "ai-changes-prove": "At least one of those tests fails without the change: `tidegate verify fail-before`",
    "critical-lines-verified": "In critical files, tests execute 80% of the changed lines (`tidegate check --coverage"
    " FILE`) and notice 70% of the faults put into them (`tidegate verify mutate`)",
    "tests-fail": "No test fails: give the report with `tidegate check --junit FILE`",
    "tests-not-weakened": "Never loosen, skip or delete a test to get a change through; where one must change, say why"
    " in the description",
    "tests-not-vacuous": "Write no test that cannot fail",
    "dependencies-known": "A new dependency that nothing vouches for",
    "no-secrets": "Never commit a secret",
    "access-kept": "What takes a check of who is there away, or loosens it,",
    "no-duplicates": "Use what is there: a copy of 30 lines or more",
    "contracts-kept": "Do not break an API, schema or message that others rely on in passing",
    "no-self-approval": "Every change",
    "reach-critical-service": "What reaches a critical service (`tidegate reach`)",
    "reach-unresolved": "Code whose reach cannot be told",
    "reach-breadth": "What reaches more than 3 services",
    "infra-destroys-data": "What destroys data, keys or state (say the way back in the description)",
    "infra-outage": "What can cut a service (say the way back in the description)",
    "infra-widens": "What opens a network or permits more",
    "infra-agent-destroys": "Anything that is destroyed by an agent's change",
    "infra-cannot-judge": "Infrastructure that cannot be judged from the code",
    "ai-critical-two-humans": "An agent's change of critical files",
    "tier-evidence": "To raise the tier of an application, bring its evidence (`tidegate place PATH`)",
    "tier-raised": "A higher tier of an application",
    "policy-changes-need-owners": "A change of the gate itself (its settings, CODEOWNERS)",
}

_ABOUT: Mapping[str, str] = {
    "rollback-planned": "infra",
    "critical-lines-verified": "critical",
    "dependencies-known": "dependencies",
    "ai-critical-two-humans": "critical",
    "policy-changes-need-owners": "policy",
    "tier-evidence": "policy",
    "tier-raised": "policy",
    **dict.fromkeys(
        ("infra-destroys-data", "infra-outage", "infra-widens", "infra-agent-destroys", "infra-cannot-judge"), "infra"
    ),
    **dict.fromkeys(
        (
            *("ai-changes-carry-tests", "ai-changes-prove", "reach-critical-service", "reach-unresolved"),
            *("reach-breadth", "no-duplicates", "contracts-kept", "size-beyond-review", "breadth-must-be-split"),
        ),
        "source",
    ),
}


def _concerns(rule: Rule, place: Place) -> bool:
    """Whether a rule can hold a change of this place; in doubt it can."""
    if place.whole:
        return True
    if rule.origin == PACK_ORIGIN:
        about = _ABOUT.get(rule.id, "")
        return {
            "": True,
            "source": place.kind == "source",
            "critical": place.critical,
            "infra": bool(place.domains & _INFRA),
            "dependencies": place.kind in ("source", "config") or "dependencies" in place.domains,
            "policy": place.kind == "policy",
        }[about]
    named = {name for one in rule.conditions for name in _DOMAIN.findall(one.text)}
    return rule.quantifier == "any" or not named or bool(named & place.domains)


_DOMAIN = re.compile(r"[\"']([a-z][a-z0-9-]*)[\"'] in change\.(?:critical_)?domains")


def _by_people(rule: Rule) -> bool:
    return any(one.kind == "approvals" for one in rule.requirements)


def _item(rule: Rule, origins: Mapping[str, Found], counts: Mapping[str, int]) -> Item:
    plain = rule.origin == PACK_ORIGIN and rule.id in _WORDS
    # Names that a repository gives its teams and tickets stand in these texts.
    asked = "; ".join(quote.words(one.text) for one in rule.requirements)
    if plain and _by_people(rule):
        needed = "; ".join(quote.words(one.text) for one in rule.requirements if one.kind == "approvals")
        says = f"{_WORDS[rule.id]} needs {needed.replace(OF_OTHERS, '')}"
    elif plain:
        says = _WORDS[rule.id]
    elif rule.origin == PACK_ORIGIN:
        says = f"{rule.title}{f' (needs: {asked})' if asked else ''}".replace(OF_OTHERS, "")
    else:
        says = (
            f"{asked.replace(OF_OTHERS, '') or 'Nothing meets it but another change'} (rule {quote.title(rule.title)})"
        )
    if rule.origin != PACK_ORIGIN and _by_people(rule):
        says += "; only people can give it"
    return Item(f"{_EFFECT[rule.effect]}{says}", "; ".join(_evidence(rule, origins, counts)))


_EFFECT = {"block": "[blocks] ", "hold": "[holds] ", "warn": "[warns] "}


def _evidence(rule: Rule, origins: Mapping[str, Found], counts: Mapping[str, int]) -> Iterable[str]:
    yield f"`{rule.id}`"
    if rule.origin != PACK_ORIGIN:
        yield quote.name(str(origins.get(rule.id, ""))) or "the settings"
    if counts.get(rule.id):
        yield f"held {counts[rule.id]} changes of the past"
