"""Tests of rules: facts that are given, what a rule is expected to say of them, and whether the tests would notice.

    [[test]]
    name = "an AI change of auth needs two people"
    given = { change.critical_domains = ["auth"], provenance.lines.ai = 12 }
    expect = { ai-critical-two-humans = "fired", outcome = "block" }

What is not given is neutral: every fact is known, every number is 0, every list is empty. `unknown` names facts that
could not be told, `stage` is commit, push or merge. Totals, sums and shares that are not given follow from what is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, cast, get_args

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.facts import SECTIONS, Facts, to_document, totals_of
from tidegate.policy.conditions import compile_condition
from tidegate.policy.decide import decide
from tidegate.policy.document import conform, why_unknown
from tidegate.policy.fields import Field, catalogue, fields_of, suggest
from tidegate.policy.rules import PACK_ORIGIN, Policy, Rule
from tidegate.policy.verdict import Outcome, RuleState, Stage
from tidegate.settings import convert, nearest, read_toml

NOON = "2026-01-01T12:00:00Z"


class Trial(Struct, frozen=True):
    """One test of rules. `expect` maps ids of rules to states; `outcome` is empty where any is right."""

    name: str
    origin: str
    document: Mapping[str, Any]
    stage: Stage
    expect: Mapping[str, RuleState]
    outcome: Outcome | Literal[""]


class TrialResult(Struct, frozen=True):
    """What became of one test: nothing wrong, or every difference in words."""

    name: str
    origin: str
    problems: tuple[str, ...]


class Mutant(Struct, frozen=True):
    """A rule with one thing changed that no test noticed."""

    rule: str
    change: str
    text: str


def parse_trials(text: bytes, origin: str, policy: Policy) -> tuple[Trial, ...]:
    """The tests of one file. Raises InputError for a test that names what there is not, or contradicts itself."""
    table = read_toml(text, origin)
    extra = sorted(set(table) - {"test"})
    if extra:
        raise InputError(f"a file of tests holds only [[test]], not {extra[0]}", where=origin, mend="move it elsewhere")
    return tuple(_parse(raw, origin, policy) for raw in convert(table.get("test", []), list[dict[str, Any]], origin))


def run_trials(policy: Policy, trials: Sequence[Trial]) -> tuple[TrialResult, ...]:
    """Every test against the policy."""
    return tuple(TrialResult(t.name, t.origin, tuple(_problems(policy, t))) for t in trials)


def untested(policy: Policy, trials: Sequence[Trial]) -> tuple[str, ...]:
    """Rules of the repository that no test names. What the pack ships as it is, is tested where it is made."""
    named = {id_ for trial in trials for id_ in trial.expect}
    return tuple(rule.id for rule in policy.rules if rule.id not in named and rule.origin != PACK_ORIGIN)


def surviving_mutants(policy: Policy, trials: Sequence[Trial]) -> tuple[Mutant, ...]:
    """Changes to the rules that tests name which leave every test as it was: what the tests do not hold.

    An operator, a boundary, a quantifier or a whole condition is changed, one at a time. A mutant that means the same
    as the rule survives too; a person tells them apart.
    """
    survivors: list[Mutant] = []
    passing = [t for t in trials if not any(_problems(policy, t))]
    for rule in policy.rules:
        about = [t for t in passing if rule.id in t.expect]
        if not about:
            continue
        for what, text, mutant in _mutants(rule, policy):
            alone = msgspec.structs.replace(policy, rules=(mutant,))
            if all(decide(alone, t.document, t.stage).rules[0].state == t.expect[rule.id] for t in about):
                survivors.append(Mutant(rule.id, what, text))
    return tuple(survivors)


def neutral_document() -> dict[str, Any]:
    """A document in which every fact is known and nothing has happened."""
    document = to_document(Facts(now=NOON))
    for name in SECTIONS:
        neutral = {field: _neutral(f) for field, f in fields_of(name).items()}
        document[name] = {"status": "complete", "unknowns": [], **neutral, "totals": totals_of(neutral)}
    return document


def with_totals(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the totals that its lists have, as if whoever changed them had meant to."""
    sections = {name: {**document[name], "totals": totals_of(document[name])} for name in SECTIONS}
    return {**document, **sections}


# Private


class _Test(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    expect: dict[str, str]
    given: dict[str, Any] = {}
    unknown: tuple[str, ...] = ()
    stage: Stage = "merge"


def _parse(raw: Mapping[str, Any], origin: str, policy: Policy) -> Trial:
    where = f"{origin}, test {raw.get('name', 'without a name')!r}"
    test = convert(raw, _Test, where)
    document = neutral_document()
    given = dict(_leaves(test.given))
    for path, value in given.items():
        _put(document, path, value, where)
    _follow(document, given)
    for path in test.unknown:
        _forget(document, path, where)
    document = with_totals(document)
    conformed = conform(document)
    for path in given:
        reason = why_unknown(conformed, path)
        if reason and not any(path.startswith(u) for u in test.unknown):
            raise InputError(f"{path} cannot be given so: {reason}", where=where, mend="correct the value")
    expect = dict(test.expect)
    outcome = expect.pop("outcome", "")
    if outcome not in ("", *get_args(Outcome)):
        raise InputError(f"there is no outcome {outcome}", where=where, mend=nearest(outcome, get_args(Outcome)))
    ids = [rule.id for rule in policy.rules]
    for id_ in expect:
        if id_ not in ids:
            raise InputError(f"there is no rule {id_}", where=where, mend=nearest(id_, ids))
    if not (expect or outcome):
        raise InputError("the test expects nothing", where=where, mend='expect = { my-rule = "fired" }')
    states = convert(expect, dict[str, RuleState], f"{where}, expect")
    return Trial(test.name, origin, document, test.stage, states, cast(Outcome, outcome))


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of everything given; `a.b = 1` and `"a.b" = 1` say the same."""
    for key, value in table.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}.")
        else:
            yield path, value


def _put(document: dict[str, Any], path: str, value: Any, where: str) -> None:
    if path not in catalogue() or "[]" in path:
        raise InputError(f"there is no fact {path}", where=where, mend=suggest(path))
    *parents, name = path.split(".")
    table = document
    for parent in parents:
        table = table[parent]
    table[name] = _completed(path, value, where)


def _completed(path: str, value: Any, where: str) -> Any:
    """The value, with every field that an element of a list leaves out filled in neutrally."""
    if isinstance(value, list):
        return [_completed(f"{path}[]", element, where) for element in value]
    if not isinstance(value, dict) or catalogue()[path].kind != "group":
        return value
    known = fields_of(path)
    for name in value:
        if name not in known:
            raise InputError(f"there is no fact {path}.{name}", where=where, mend=suggest(f"{path}.{name}"))
    filled = {name: _neutral(field) for name, field in known.items()}
    return filled | {name: _completed(f"{path}.{name}", element, where) for name, element in value.items()}


def _neutral(field: Field) -> Any:
    if field.kind == "group":
        return {name: _neutral(f) for name, f in fields_of(field.path).items()}
    plain = {"text": field.values[0] if field.values else "", "count": 0, "number": 0.0, "flag": False}
    return [] if field.kind == "list" else plain[field.kind]


def _follow(document: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Sets totals, sums and shares that are not given to what follows from the facts that are."""
    change, review, infra, provenance = (document[s] for s in ("change", "review", "infra", "provenance"))
    lines = [provenance[name] for name in ("lines", "source_lines", "critical_lines")]
    sums = [sum(group[k] for k in _WRITERS) if _are_counts(group) else 0 for group in lines]
    added = provenance["lines"]["added"] if "provenance.lines.added" in given else sums[0]
    written = provenance["lines"]
    follows = {
        "change.files_total": len(change["files"]),
        "change.commits_total": len(change["commits"]),
        "change.breadth": len(change["domains"]),
        "review.reviews_total": len(review["reviews"]),
        "infra.effects_total": len(infra["effects"]),
        "provenance.lines.added": sums[0],
        "provenance.source_lines.added": sums[1],
        "provenance.critical_lines.added": sums[2],
        "provenance.ai_share": (written["ai"] + written["mixed"]) / added if added else 0.0,
        "provenance.unknown_share": written["unknown"] / added if added else 0.0,
    }
    if not any(path.startswith("provenance.evidence.") for path in given):
        follows["provenance.evidence.E0"] = added
    for path, value in follows.items():
        if path not in given:
            _put(document, path, value, "")


_WRITERS = ("ai", "human", "mixed", "unknown")


def _are_counts(group: Mapping[str, Any]) -> bool:
    return all(isinstance(group[key], int) for key in _WRITERS)


def _forget(document: dict[str, Any], path: str, where: str) -> None:
    """Marks a fact or a whole section as unknown."""
    if path not in catalogue() or path == "now":
        raise InputError(f"there is no fact {path}", where=where, mend=suggest(path))
    section = document[path.partition(".")[0]]
    section["unknowns"].append({"path": path, "reason": "the test says so"})
    section["status"] = "partial"


def _problems(policy: Policy, trial: Trial) -> Iterator[str]:
    verdict = decide(policy, trial.document, trial.stage)
    for result in verdict.rules:
        expected = trial.expect.get(result.id)
        if expected and result.state != expected:
            yield f"{result.id} is {result.state}, expected {expected}"
    if trial.outcome and verdict.outcome != trial.outcome:
        yield f"the outcome is {verdict.outcome}, expected {trial.outcome}"


def _mutants(rule: Rule, policy: Policy) -> Iterator[tuple[str, str, Rule]]:
    """What was changed, the text that came of it, and the rule with it."""
    for at, condition in enumerate(rule.conditions):
        others = (rule.conditions[:at], rule.conditions[at + 1 :])
        for what, text in _mutations(condition.text):
            try:
                compiled = compile_condition(policy.language, text, "")
            except InputError:
                continue
            changed = msgspec.structs.replace(rule, conditions=(*others[0], compiled, *others[1]))
            yield f"condition {at + 1}: {what}", text, changed
        if len(rule.conditions) > 1:
            changed = msgspec.structs.replace(rule, conditions=(*others[0], *others[1]))
            yield f"condition {at + 1} left out", condition.text, changed
    if len(rule.conditions) > 1:
        flipped: Literal["all", "any"] = "any" if rule.quantifier == "all" else "all"
        changed = msgspec.structs.replace(rule, quantifier=flipped)
        yield f"when.{rule.quantifier} became when.{flipped}", "", changed


def _mutations(text: str) -> Iterator[tuple[str, str]]:
    for token in _TOKENS.finditer(text):
        old = token[0]
        new = str(int(old) + 1) if old.isdigit() else _FLIPS.get(old)
        if new is not None:
            what = f"{old} became {new}" if new else f"{old} left out"
            yield what, text[: token.start()] + new + text[token.end() :]


_TOKENS = re.compile(
    r"""r?"(?:\\.|[^"\\])*"|r?'(?:\\.|[^'\\])*'"""  # texts are left as they are
    r"""|>=|<=|==|!=|&&|\|\||>|<|!|\.exists\(|\.all\(|(?<![\w.])\d+(?![\w.])"""
)
_FLIPS = {
    ">=": ">", ">": ">=", "<=": "<", "<": "<=", "==": "!=", "!=": "==", "&&": "||", "||": "&&", "!": "",
    ".exists(": ".all(", ".all(": ".exists(",
}  # fmt: skip
