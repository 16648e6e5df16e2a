"""What a repository and its people decided about Tidegate: `tidegate.toml`, `[tool.tidegate]`, the environment.

Settings are read from the base of a change, never from the change under test; whoever calls `parse_settings` brings
the texts. Rules (`[[rule]]`) are kept as they stand here and are read by `policy/rules.py`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, field

from tidegate.errors import InputError

T = TypeVar("T")

CONFIG_NAMES = ("tidegate.toml", "pyproject.toml")
POLICY_FOLDER = ".tidegate/policy/"
TESTS_FOLDER = f"{POLICY_FOLDER}tests/"
"""Tests of rules; a check never reads them."""
ENVIRONMENT_PREFIX = "TIDEGATE_"
DEEPEST = 20
MOST_DOTS_SQUARED = 10_000_000
"""tomllib keeps every beginning of a dotted key: what it needs grows with the square of the parts."""


class Identity(Struct, frozen=True, forbid_unknown_fields=True):
    """One person: the key of `[people.KEY]` is how Tidegate names them; accounts and e-mails are all theirs."""

    name: str = ""
    emails: tuple[str, ...] = ()
    accounts: Annotated[tuple[str, ...], Meta(description="forge accounts, without @")] = ()
    keys: Annotated[
        tuple[str, ...], Meta(description="public keys that sign approvals: lines of .pub files, or of the console")
    ] = ()


class DomainSetting(Struct, frozen=True, forbid_unknown_fields=True):
    """Extends a domain of the built-in table, or makes a new one. `paths` and `ignore` are gitignore-style patterns;
    `content` are RE2 patterns that are searched in changed lines. `replace` drops the built-in entry first."""

    paths: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    critical: bool | None = None
    replace: bool = False


class FileSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """gitignore-style patterns that settle what a file is when the built-in table has it wrong."""

    tests: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()
    vendored: tuple[str, ...] = ()
    source: tuple[str, ...] = ()


class ProvenanceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How attribution is read and written."""

    trailers: Annotated[
        Literal["ignore", "require", "forbid"],
        Meta(description="whether commits with AI lines must carry, or must not carry, a declaring trailer"),
    ] = "ignore"
    notes: Annotated[tuple[str, ...], Meta(description="refs that git-ai notes are read from")] = (
        "refs/notes/ai",
        "refs/notes/tidegate-recovered",
    )
    traces: Annotated[tuple[str, ...], Meta(description="REF:PATH of Agent Trace files (JSON Lines)")] = (
        "refs/agentdiff/meta:traces.jsonl",
    )
    checkpoints: Annotated[str, Meta(description="ref of Entire checkpoints")] = "refs/heads/entire/checkpoints/v1"
    trusted_keys: Annotated[tuple[str, ...], Meta(description="ed25519 public keys, base64, whose records are E5")] = ()


class OwnersSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How CODEOWNERS is read, and who answers for what no folder stands for.

    `auto` takes the dialect from where the file lies and from what it holds.
    """

    dialect: Literal["auto", "github", "gitlab"] = "auto"
    infrastructure: Annotated[
        tuple[str, ...], Meta(description="people and teams who answer for what runs; empty: owners of the files")
    ] = ()
    security: Annotated[
        tuple[str, ...], Meta(description="people and teams who answer for who may do what; empty: owners of the files")
    ] = ()


class RiskSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the risk of a change is judged by."""

    model: Annotated[
        str, Meta(description="file that `risk train -o` wrote, read at the base; empty: what is kept in this clone")
    ] = ""


class PolicySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Which shipped rules apply beside the repository's own."""

    pack: Literal["default", "none"] = "default"


class DependencySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Which packages from outside a change may bring. Names may hold `*`; empty lists ask nothing."""

    allow: Annotated[tuple[str, ...], Meta(description="names that somebody vouches for, such as @acme/*")] = ()
    deny: Annotated[tuple[str, ...], Meta(description="names that may not come in; they win over allow")] = ()
    licences: Annotated[tuple[str, ...], Meta(description="SPDX identifiers that may come in; empty: any")] = ()
    sources: Annotated[
        tuple[str, ...], Meta(description="hosts and addresses that packages may come from beside the public registry")
    ] = ()


ATTESTED: Mapping[str, str] = {
    "builds": "T2",
    "tests-pass": "T2",
    "reviewed": "T2",
    "backup-restored": "T2",
    "quiet-14-days": "T2",
    "mutation": "T3",
    "slo": "T3",
    "on-call": "T3",
    "rollback-drill": "T3",
    "canary": "T3",
    "load-test": "T3",
    "threat-review": "T3",
    "two-approvers": "T3",
}
"""What no code shows and somebody vouches for before an application gets a tier, with that tier."""


class PlaceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the application of this repository runs, and what its owner declares of it."""

    tier: Annotated[
        Literal["", "T0", "T1", "T2", "T3"], Meta(description="the tier that it has; raising it is judged by policy")
    ] = ""
    owner: Annotated[str, Meta(description="person or team who answers for it; empty: owners of its files")] = ""
    data: Annotated[
        Literal["", "none", "synthetic", "internal", "personal", "regulated"],
        Meta(description="the gravest data that it holds; synthetic: nobody's, for tests"),
    ] = ""
    egress: Annotated[
        tuple[str, ...], Meta(description="hosts, HOST or HOST:PORT, that its variables stand for; names all of them")
    ] = ()
    public: Annotated[tuple[str, ...], Meta(description="routes that are open on purpose, such as GET /prices")] = ()
    expires: Annotated[str, Meta(description="day from which its place is asked about again, such as 2026-12-31")] = ""
    evidence: Annotated[str, Meta(description="file with what people vouch for; docs/place.md shows one")] = ""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that a repository can decide. `rule` holds the tables of `[[rule]]` as they stand."""

    people: dict[str, Identity] = field(default_factory=dict)
    teams: Annotated[dict[str, tuple[str, ...]], Meta(description="team, as CODEOWNERS writes it, to people")] = field(
        default_factory=dict
    )
    domains: dict[str, DomainSetting] = field(default_factory=dict)
    files: FileSettings = FileSettings()
    provenance: ProvenanceSettings = ProvenanceSettings()
    owners: OwnersSettings = OwnersSettings()
    policy: PolicySettings = PolicySettings()
    risk: RiskSettings = RiskSettings()
    dependencies: DependencySettings = DependencySettings()
    place: PlaceSettings = PlaceSettings()
    rule: tuple[dict[str, Any], ...] = ()


class Source(NamedTuple):
    """A text that settings are read from. `origin` names it for people, such as `tidegate.toml at 1a2b3c4`."""

    origin: str
    name: str
    text: bytes


class Line(NamedTuple):
    """One setting as a person reads it: its path, its value as JSON, and where it was set."""

    path: str
    value: str
    origin: str


class Loaded(NamedTuple):
    """Settings and, for every value that is not a default, where it was set (`a.b` to origin).

    `rule_origins` says the same of every table of `settings.rule`, in the same order.
    """

    settings: Settings
    origins: Mapping[str, str]
    rule_origins: tuple[str, ...] = ()


def parse_settings(sources: Sequence[Source], environment: Mapping[str, str]) -> Loaded:
    """Settings from texts, the first that sets a table wins over later ones; the environment wins over all.

    `pyproject.toml` counts by its `[tool.tidegate]`; a file in `.tidegate/policy/` may hold only `[[rule]]`, and rules
    of all texts are joined. Raises InputError for TOML that does not parse and for keys or values that do not fit.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    rules: list[dict[str, Any]] = []
    rule_origins: list[str] = []
    for source in sources:
        table = _read_table(source)
        convert(table, Settings, source.origin)
        own = table.pop("rule", [])
        rules += own
        rule_origins += [source.origin] * len(own)
        for key, value in table.items():
            if key in merged:
                raise InputError(
                    f"[{key}] is set twice",
                    where=f"{source.origin} and {origins[key]}",
                    mend="keep it in one of the two files",
                )
            merged[key] = value
            origins[key] = source.origin
    leaves = {path: origins[path.partition(".")[0]] for path in _leaves(merged)}
    for path, value in _from_environment(environment):
        top, _, rest = path.partition(".")
        leaves[path] = f"environment variable {_variable(path)}"
        convert({top: {rest: value}}, Settings, leaves[path])
        merged[top] = {**merged.get(top, {}), rest: value}
    settings = convert({**merged, "rule": rules}, Settings, "all settings together")
    _check_people(settings, origins.get("people", ""))
    return Loaded(settings, leaves, tuple(rule_origins))


def list_settings(loaded: Loaded) -> tuple[Line, ...]:
    """Every setting with its value and origin, defaults too; a table of entries has one line for each value set."""
    found: list[Line] = []
    for top in msgspec.structs.fields(Settings):
        value = getattr(loaded.settings, top.name)
        if top.name == "rule":
            found += [
                Line(f"rule[{place}]", _json(rule.get("id", "")), loaded.rule_origins[place])
                for place, rule in enumerate(value)
            ]
        elif isinstance(value, dict):
            builtins = msgspec.to_builtins(value)
            own = [path for path in loaded.origins if path.startswith(f"{top.name}.")]
            found += [Line(path, _json(_at({top.name: builtins}, path)), loaded.origins[path]) for path in own]
            found += [] if own else [Line(top.name, "{}", "default")]
        else:
            for part in msgspec.structs.fields(value):
                path = f"{top.name}.{part.name}"
                found.append(Line(path, _json(getattr(value, part.name)), loaded.origins.get(path, "default")))
    return tuple(found)


def environment_variables() -> dict[str, str]:
    """The settings that the environment may set, each with its variable."""
    return {path: _variable(path) for path in _SCALARS}


def read_toml(text: bytes, origin: str) -> dict[str, Any]:
    """A TOML text as a table. Raises InputError with the line for one that does not parse."""
    if sum(line.count(b".") ** 2 for line in text.split(b"\n")) > MOST_DOTS_SQUARED:
        raise InputError("a key has too many parts", where=origin, mend="make it shorter")
    try:
        table = tomllib.loads(text.decode("utf-8"))
        if _is_deeper(table, DEEPEST):
            raise InputError(f"tables are nested more than {DEEPEST} deep", where=origin, mend="make it flatter")
        return table
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8", where=origin, mend="save it as UTF-8") from error
    except (ValueError, RecursionError) as error:  # also a number of more digits than Python reads
        raise InputError(f"not valid TOML: {error}", where=origin, mend="correct that line") from error


def convert(raw: object, type_: type[T], where: str) -> T:
    """A plain value as the given type. Raises InputError that names the key and, for a misspelt one, what was meant."""
    try:
        return msgspec.convert(raw, type_, strict=True)
    except msgspec.ValidationError as error:
        what, mend = _explain(str(error), type_, raw)
        raise InputError(what, where=where, mend=mend) from error


def folded(text: str) -> str:
    """An e-mail or account as it is compared: ASCII letters without case. Other letters have look-alikes that fold."""
    return "".join(c.lower() if c.isascii() else c for c in text.strip())


def nearest(word: str, known: Sequence[str]) -> str:
    """A hint that names the known word nearest to a misspelt one, or all of them when none is near."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known))}"


# Private


def _explain(message: str, type_: type, raw: object) -> tuple[str, str]:
    reason, _, place = message.partition(" - at `$")
    place = place.rstrip("`").lstrip(".")
    path = _named(place, type_, raw)
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", reason)
    if not unknown:
        said = _in_words(reason, _type_at(type_, place))
        return (f"{path}: {said}" if path else said), "correct the value; docs/settings.md lists them all"
    key = f"{path}.{unknown[1]}" if path else unknown[1]
    return f"there is no setting {key}", nearest(unknown[1], _fields_at(type_, place))


_SHAPES = {
    "array": "a list",
    "object": "a table",
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}


def _in_words(reason: str, type_: Any) -> str:
    """What msgspec says of a value, for somebody who writes TOML."""
    shape = re.fullmatch(r"Expected `(\w+)`, got `(\w+)`", reason)
    if shape and all(name in _SHAPES for name in shape.groups()):
        return f"it must be {_SHAPES[shape[1]]}, not {_SHAPES[shape[2]]}"
    choice = re.fullmatch(r"Invalid enum value '(.*)'", reason)
    kinds = [kind for kind in (type_, *get_args(type_)) if get_origin(kind) is Literal]
    known = [value for kind in kinds for value in get_args(kind) if value]
    if choice and known:
        return f"{_json(choice[1])} is none of {', '.join(map(_json, known))}"
    return reason


def _named(place: str, type_: type, raw: object) -> str:
    """The place with the entry's own name for `[...]`, which is all that msgspec says of a key."""
    before, mark, after = place.partition("[...]")
    entries = raw.get(before) if mark and before and isinstance(raw, dict) else None
    if not isinstance(entries, dict):
        return place
    field_type = next(_plain(f.type) for f in msgspec.structs.fields(type_) if f.encode_name == before)
    entry_type = get_args(field_type)[-1]
    for key, entry in entries.items():
        try:
            msgspec.convert(entry, entry_type, strict=True)
        except msgspec.ValidationError:
            return f"{before}.{_key(key)}{after}"
    return place


def _fields_at(type_: Any, path: str) -> list[str]:
    """Names of the fields of the struct that lies at a path such as `people[...]` or `rule[0].require[1]`."""
    type_ = _struct_of(_type_at(type_, path))
    return [f.encode_name for f in msgspec.structs.fields(type_)] if type_ is not None else []


def _type_at(type_: Any, path: str) -> Any:
    for part in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        if part.startswith("["):
            type_ = [a for a in get_args(type_) if a is not Ellipsis][-1]
        else:
            type_ = _struct_of(type_)
            if type_ is None:
                return None
            type_ = next((f.type for f in msgspec.structs.fields(type_) if f.encode_name == part), type_)
        type_ = _plain(type_)
    return type_


def _struct_of(type_: Any) -> Any:
    """The struct that it is, or may be where it is optional."""
    kinds = (type_, *get_args(type_))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)), None)


def _plain(type_: Any) -> Any:
    return get_args(type_)[0] if hasattr(type_, "__metadata__") else type_


def _read_table(source: Source) -> dict[str, Any]:
    table = read_toml(source.text, source.origin)
    if source.name.endswith("pyproject.toml"):
        tool = table.get("tool", {})
        table = tool.get("tidegate", {}) if isinstance(tool, dict) else {}
        if not isinstance(table, dict):
            raise InputError("tool.tidegate is not a table", where=source.origin, mend="write [tool.tidegate]")
    extra = sorted(set(table) - {"rule"})
    if source.name.startswith(POLICY_FOLDER) and extra:
        raise InputError(
            f"a policy file holds only [[rule]], not {', '.join(extra)}",
            where=source.origin,
            mend="move it to tidegate.toml",
        )
    return table


def _leaves(table: Mapping[str, Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for key, value in table.items():
        path = f"{prefix}{_key(key)}"
        found += _leaves(value, f"{path}.") if isinstance(value, dict) else [path]
    return found


def _key(key: str) -> str:
    """A key as TOML writes it: bare where it can be, else in quotes."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _json(key)


def _at(table: Mapping[str, Any], path: str) -> Any:
    """The value whose leaf has this path."""
    for key, value in table.items():
        name = _key(key)
        if path == name:
            return value
        if path.startswith(f"{name}.") and isinstance(value, dict):
            return _at(value, path[len(name) + 1 :])
    return ""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode("utf-8")


def _is_deeper(value: object, limit: int) -> bool:
    level: list[object] = [value]
    for _ in range(limit + 1):
        level = [
            child
            for parent in level
            if isinstance(parent, (dict, list))
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return False
    return True


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(path, environment[name]) for path, name in environment_variables().items() if name in environment]


def _variable(path: str) -> str:
    return ENVIRONMENT_PREFIX + path.replace(".", "_").upper()


_SCALARS = ("provenance.trailers", "provenance.checkpoints", "owners.dialect")


def _check_people(settings: Settings, origin: str) -> None:
    owner_of: dict[str, str] = {}
    for key, identity in settings.people.items():
        marks = [f"e-mail {folded(email)}" for email in identity.emails]
        marks += [f"account {folded(account).removeprefix('@')}" for account in identity.accounts]
        for mark in marks:
            if owner_of.setdefault(mark, key) != key:
                raise InputError(
                    f"{mark} belongs to both {owner_of[mark]} and {key}",
                    where=origin,
                    mend="give it to one person",
                )
