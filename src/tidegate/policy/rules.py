"""The rules that apply to a change: the shipped pack, adjusted and extended by the repository's own `[[rule]]` tables.

A rule is data. What it asks for is in `require` (policy/obligations), when it applies is in `when` (conditions), and
what happens when it is not satisfied is in `effect`. docs/policy.md is the guide for people who write them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct

from tidegate.change.codeowners import Owners
from tidegate.change.domain_table import DOMAINS
from tidegate.change.git import Repository
from tidegate.change.owners_file import read_owners
from tidegate.errors import InputError
from tidegate.facts import SECTIONS, Unknown, to_json
from tidegate.policy.conditions import Compiled, Language, compile_condition, make_language
from tidegate.policy.explanation import page_ids
from tidegate.policy.obligations import Requirement, parse_requirement
from tidegate.policy.verdict import Effect, Mode
from tidegate.settings import Loaded, Settings, convert, nearest, read_toml

PACK_ORIGIN = "the default pack"


class Rule(Struct, frozen=True):
    """One rule, ready to be asked. `since` and `until` are RFC 3339 moments in UTC or empty; `until` is not included.

    `on_unknown` is empty where the rule does not say it. `table` is the rule as it stands after any adjustment.
    """

    id: str
    title: str
    effect: Effect
    mode: Mode
    quantifier: Literal["all", "any"]
    conditions: tuple[Compiled, ...]
    requirements: tuple[Requirement, ...]
    on_unknown: Effect | Literal[""]
    owner: str
    reason: str
    since: str
    until: str
    origin: str
    table: Mapping[str, Any]


class Policy(Struct, frozen=True):
    """Every rule that applies, and what their obligations are judged by.

    `digest` changes with anything that can change a verdict: rules, owners and settings; not with where they stand.
    `owners` is Unknown where they could not be read.
    """

    rules: tuple[Rule, ...]
    owners: Owners | Unknown
    settings: Settings
    language: Language
    origin: str
    digest: str


class RuleTable(NamedTuple):
    """A `[[rule]]` as it stands in a text, and the name of that text for people."""

    table: Mapping[str, Any]
    origin: str


def read_policy(repository: Repository | None, revision: str, loaded: Loaded) -> Policy:
    """The policy at a revision, which is the base of a change and never the change itself.

    A repository without rules of its own has the shipped pack. Raises InputError for a rule that is not right.
    """
    own = [RuleTable(t, o) for t, o in zip(loaded.settings.rule, loaded.rule_origins, strict=True)]
    owners = read_owners(repository, revision, loaded.settings)
    return make_policy(own, owners, loaded.settings)


def make_policy(own: Sequence[RuleTable], owners: Owners | Unknown, settings: Settings) -> Policy:
    """The policy of these rules beside the pack that the settings name.

    Raises InputError for a rule that is not right.
    """
    language = make_rule_language(settings)
    rules = tuple(parse_rule(entry, language) for entry in join_rules(own, settings))
    shipped = [PACK_ORIGIN] if settings.policy.pack == "default" else []
    origins = dict.fromkeys(shipped + [entry.origin for entry in own])
    return Policy(
        rules, owners, settings, language, " and ".join(origins) or "no rules", _digest(rules, owners, settings)
    )


def read_pack() -> tuple[RuleTable, ...]:
    """The rules that are shipped, as they stand in their file."""
    text = (files("tidegate.policy") / "packs" / "default.toml").read_bytes()
    return tuple(RuleTable(table, PACK_ORIGIN) for table in read_toml(text, PACK_ORIGIN)["rule"])


def make_rule_language(settings: Settings) -> Language:
    """The language of conditions, with the domains that these settings know and the findings that have a page."""
    domains = tuple(dict.fromkeys((*(domain.name for domain in DOMAINS), *settings.domains)))
    return make_language(
        {
            **dict.fromkeys(_DOMAIN_PATHS, domains),
            **{f"{section}.findings[].rule": page_ids() for section in SECTIONS},
        }
    )


def find_rule(rules: Sequence[Rule], id_: str) -> Rule:
    """The rule with this id. Raises InputError when there is none."""
    for rule in rules:
        if rule.id == id_:
            return rule
    raise InputError(f"there is no rule {id_}", mend=nearest(id_, [rule.id for rule in rules]))


def join_rules(own: Sequence[RuleTable], settings: Settings) -> tuple[RuleTable, ...]:
    """The pack's rules, each with the keys that the repository gives for it, then the repository's own.

    Raises InputError for a rule without an id and for two own rules with one id.
    """
    joined = {str(e.table["id"]): e for e in (read_pack() if settings.policy.pack == "default" else ())}
    seen: dict[str, RuleTable] = {}
    for entry in own:
        id_ = entry.table.get("id")
        if not isinstance(id_, str) or not _ID.fullmatch(id_) or id_ == "outcome":
            raise InputError(
                "a rule needs an id of lower-case words with hyphens", where=_where(entry), mend='id = "my-rule"'
            )
        if id_ in seen:
            raise InputError(
                f"two rules have the id {id_}", where=f"{seen[id_].origin} and {entry.origin}", mend="rename one"
            )
        seen[id_] = entry
        if id_ in joined:
            _check_keys(entry.table, _where(entry))
            origin = f"{PACK_ORIGIN}, adjusted in {entry.origin}"
            joined[id_] = RuleTable({**joined[id_].table, **entry.table}, origin)
        else:
            joined[id_] = entry
    return tuple(joined.values())


def parse_rule(entry: RuleTable, language: Language) -> Rule:
    """One rule, ready to be asked. Raises InputError that names the text, the rule and what is wrong."""
    table, where = entry.table, _where(entry)
    _check_keys(table, where)
    plain = convert({k: v for k, v in table.items() if k not in ("since", "until")}, _Table, where)
    quantifier, texts = _when(plain.when, where)
    conditions = tuple(
        compile_condition(language, text, f"{where}, condition {number}") for number, text in enumerate(texts, 1)
    )
    requirements = tuple(
        parse_requirement(required, f"{where}, require {number}") for number, required in enumerate(plain.require, 1)
    )
    return Rule(
        id=plain.id,
        title=plain.title,
        effect=plain.effect,
        mode=plain.mode,
        quantifier=quantifier,
        conditions=conditions,
        requirements=requirements,
        on_unknown=plain.on_unknown,
        owner=plain.owner,
        reason=plain.reason,
        since=_moment(table.get("since"), f"{where}, since", end=False),
        until=_moment(table.get("until"), f"{where}, until", end=True),
        origin=entry.origin,
        table=table,
    )


# Private


class _When(Struct, frozen=True, forbid_unknown_fields=True):
    all: tuple[str, ...] | None = None
    any: tuple[str, ...] | None = None


class _Table(Struct, frozen=True):
    id: str
    title: str
    effect: Effect
    when: _When
    require: tuple[dict[str, Any], ...] = ()
    on_unknown: Effect | Literal[""] = ""
    mode: Mode = "enforce"
    owner: str = ""
    reason: str = ""


KEYS = (*_Table.__struct_fields__, "since", "until")
_DOMAIN_PATHS = (
    "change.domains[]",
    "change.critical_domains[]",
    "change.files[].domains[]",
    "change.domain_hits[].domain",
    "provenance.ai_domains[]",
)
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _where(entry: RuleTable) -> str:
    id_ = entry.table.get("id")
    return f"{entry.origin}, rule {id_}" if isinstance(id_, str) else entry.origin


def _check_keys(table: Mapping[str, Any], where: str) -> None:
    for key in table:
        if key not in KEYS:
            raise InputError(f"a rule has no key {key}", where=where, mend=nearest(key, KEYS))
    if isinstance(table.get("title"), str) and not table["title"].strip():
        raise InputError("the title is empty", where=where, mend="say in one sentence what the rule asks for")


def _when(when: _When, where: str) -> tuple[Literal["all", "any"], tuple[str, ...]]:
    given = [(name, texts) for name, texts in (("all", when.all), ("any", when.any)) if texts is not None]
    if len(given) != 1:
        raise InputError(
            "a rule has either when.all or when.any",
            where=where,
            mend='for a rule that always applies: when.all = ["true"]',
        )
    name, texts = given[0]
    if not texts:
        raise InputError(
            f"when.{name} is empty", where=where, mend='for a rule that always applies: when.all = ["true"]'
        )
    return ("all" if name == "all" else "any"), texts


def _moment(value: object, where: str, *, end: bool) -> str:
    """A date or a moment as RFC 3339 in UTC; of an `until` that is a date, the end of that day."""
    if value is None:
        return ""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return _utc(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        day = value + timedelta(days=1) if end else value
        return _utc(datetime.combine(day, time(), UTC))
    raise InputError("not a date", where=where, mend="write it like 2026-12-31 or 2026-12-31T12:00:00Z")


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _digest(rules: Sequence[Rule], owners: Owners | Unknown, settings: Settings) -> str:
    tables = {rule.id: rule.table for rule in rules}
    rest = msgspec.structs.replace(settings, rule=())
    return hashlib.sha256(to_json({"rules": tables, "owners": owners, "settings": rest})).hexdigest()
