"""How agents sign what they write: `signatures.toml`, checked and compiled."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec
import re2
from msgspec import Struct, field

from tidegate.facts import Evidence, Role

REMEMBERED = 4096
"""Answers that are kept at a time: a history names the same few people and agents again and again."""

Where: TypeAlias = Literal["identity", "trailer", "message", "branch", "label", "account"]


class Signature(Struct, frozen=True, forbid_unknown_fields=True):
    """One mark of one tool. `match` is RE2 and ignores case."""

    match: str
    key: str = ""
    role: Role = "co-author"
    evidence: Evidence = "E2"


class Tool(Struct, frozen=True, forbid_unknown_fields=True):
    """One tool and all its marks."""

    name: str
    aliases: tuple[str, ...] = ()
    says: str = ""
    identity: tuple[Signature, ...] = ()
    trailer: tuple[Signature, ...] = ()
    message: tuple[Signature, ...] = ()
    branch: tuple[Signature, ...] = ()
    label: tuple[Signature, ...] = ()
    account: tuple[Signature, ...] = ()


class Generic(Struct, frozen=True, forbid_unknown_fields=True):
    """A trailer whose value names the tool. With `any` the key alone says that it was an agent."""

    role: Role
    any: bool = False


class SignatureFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of signatures.toml."""

    keys: dict[str, Role]
    generic: dict[str, Generic]
    tools: dict[str, Tool] = field(default_factory=dict)


class Match(NamedTuple):
    """What a text was recognised as."""

    tool: str
    signature: Signature
    model: str
    session: str
    end: int = 0


class Signatures:
    """The compiled table. Texts that carry no mark cost one search each: marks of one kind are first tried together."""

    def __init__(self, table: SignatureFile) -> None:
        self.keys: Mapping[str, Role] = table.keys
        self.generic: Mapping[str, Generic] = table.generic
        self._table = table
        self._groups: dict[tuple[str, str], _Group] = {}
        self._aliases = {alias: name for name, tool in table.tools.items() for alias in (name, *tool.aliases)}
        named = [(name, tool.says) for name, tool in table.tools.items() if tool.says]
        self._says = _Group((name, Signature(match=f"^(?:{says})")) for name, says in named)
        self._seen: dict[tuple[str, str, str], Match | None] = {}

    def find(self, where: Where, text: str, key: str = "") -> Match | None:
        """The first mark of this kind that the text carries, in the order of the table."""
        asked = (where, key, text)
        if asked not in self._seen:
            if len(self._seen) >= REMEMBERED:
                self._seen.clear()
            self._seen[asked] = self._group(where, key).first(text)
        return self._seen[asked]

    def find_all(self, where: Where, text: str) -> tuple[Match, ...]:
        """Every mark of this kind that the text carries, one for each tool and role."""
        return self._group(where, "").all(text)

    def tool_of(self, name: str) -> str:
        """The name under which Tidegate knows a tool that a note, trace or transcript names in its own way.

        A name that the table does not have is kept, in lower case.
        """
        plain = name.strip().strip("\"'").lower()
        if plain in self._aliases:
            return self._aliases[plain]
        return self._aliases.get(plain.replace(" ", "-").replace("_", "-"), plain)

    def named_by(self, value: str) -> str:
        """The tool that a text such as `Claude Opus 4.6` begins with, or "" for none."""
        found = self._says.first(value)
        return found.tool if found else ""

    def after_name(self, value: str) -> str:
        """What follows the name of the tool that a text begins with."""
        found = self._says.first(value)
        return value[found.end :] if found else value

    def _group(self, where: Where, key: str) -> _Group:
        found = self._groups.get((where, key))
        if found is None:
            marks: list[tuple[str, Signature]] = []
            for name, tool in self._table.tools.items():
                marks += [(name, s) for s in getattr(tool, where) if s.key == key]
            found = self._groups[where, key] = _Group(marks)
        return found


@cache
def load_signatures() -> Signatures:
    """The shipped table, read once: it is data of the package and never changes while the program runs."""
    text = (files("tidegate.provenance") / "signatures.toml").read_text(encoding="utf-8")
    return Signatures(msgspec.convert(tomllib.loads(text), SignatureFile))


# Private

_MISSING_NAMES = frozenset({"", "unknown", "default", "<synthetic>", "none", "null", "auto", "n/a"})


def shown_model(model: str) -> str:
    """A model's name for people: quotes stripped, and "" where a tool wrote a placeholder."""
    plain = model.strip().strip("\"'`").strip()
    return "" if plain.lower() in _MISSING_NAMES else plain[:120]


class _Group:
    """Marks of one kind. The alternation of all is searched first: most texts carry none, and then none is compiled."""

    def __init__(self, marks: Iterable[tuple[str, Signature]]) -> None:
        self._marks = tuple(marks)
        self._patterns: tuple[Any, ...] = ()
        joined = "|".join(f"(?:{_without_names(signature.match)})" for _, signature in self._marks)
        self._any: Any = re2.compile(f"(?i){joined}") if self._marks else None

    def first(self, text: str) -> Match | None:
        return next(iter(self._all(text)), None)

    def all(self, text: str) -> tuple[Match, ...]:
        found: dict[tuple[str, str], Match] = {}
        for match in self._all(text):
            found.setdefault((match.tool, match.signature.role), match)
        return tuple(found.values())

    def _all(self, text: str) -> Iterable[Match]:
        if self._any is None or not text or self._any.search(text) is None:
            return
        if not self._patterns:
            self._patterns = tuple(re2.compile(f"(?i){signature.match}") for _, signature in self._marks)
        for (tool, signature), pattern in zip(self._marks, self._patterns, strict=True):
            found = pattern.search(text)
            if found:
                named = found.groupdict()
                model = shown_model(named.get("model") or "")
                yield Match(tool, signature, model, named.get("session") or "", found.end())


def _without_names(pattern: str) -> str:
    return pattern.replace("(?P<model>", "(?:").replace("(?P<session>", "(?:")
