"""The last changes of a repository as they were decided on, for rules that are tried against them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from tidegate.change.configuration import read_rule_files
from tidegate.errors import GitError, InputError
from tidegate.server.api.problems import Problem
from tidegate.server.mirrors import open_mirrors
from tidegate.server.service import Service
from tidegate.server.simulation import AskedOfPast, Past, Tried, simulate_past
from tidegate.settings import POLICY_FOLDER, Source, read_toml
from tidegate.store import assessments, changes
from tidegate.store.changes import Change
from tidegate.store.repositories import Repository

MOST = 60
MOST_BYTES = 32 << 20
"""Of facts, all together: what is more is left out, and said."""


class Compared(Struct, frozen=True):
    """A past change: how it was decided then, and what the rules of today and those that are tried say of it."""

    change: Change
    stood: str
    tried: Tried

    @property
    def differs(self) -> bool:
        return bool(self.tried.more or self.tried.less or self.tried.today != self.tried.tried)


class Trial(Struct, frozen=True):
    """The newest change first. `left_out` were assessed, and their facts are damaged or too large for the rest."""

    compared: tuple[Compared, ...]
    left_out: int


class OwnRules(Struct, frozen=True):
    """The rules of a repository's main branch as somebody would edit them, or why they are not shown."""

    text: str
    problem: str = ""


def try_rules(service: Service, repository: Repository, rules: str) -> Trial:
    """What these rules would say of the last changes, and today's beside them. Raises as `simulate_past` does.

    Problem 409 where no change was assessed yet.
    """
    with service.database.read() as connection:
        kept, left_out = _kept(connection, repository)
    if not kept:
        raise Problem(409, "no change of this repository was assessed yet", mend="wait for the first one")
    mirror = open_mirrors(service.config).path_of(repository.forge, repository.slug)
    past = tuple(Past(change.id, facts) for change, _, facts in kept)
    said = simulate_past(service.config, AskedOfPast(rules, str(mirror), f"refs/heads/{repository.main}", past))
    return Trial(
        tuple(Compared(change, stood, each) for (change, stood, _), each in zip(kept, said, strict=True)), left_out
    )


def own_rules(service: Service, repository: Repository) -> OwnRules:
    """To begin with: what a person would change is what stands there."""
    mirrors = open_mirrors(service.config)
    if not mirrors.path_of(repository.forge, repository.slug).is_dir():
        return OwnRules("", "nothing was fetched of the repository yet")
    try:
        with mirrors.open(repository.forge, repository.slug) as mirror:
            sources = read_rule_files(mirror, mirror.resolve(f"refs/heads/{repository.main}"))
        parts = [(source, _rules_in(source)) for source in sources]
    except GitError:
        return OwnRules("", "the repository cannot be read here now")
    except InputError as error:
        return OwnRules("", f"{error.what} ({error.where})")
    text = "\n".join(f"# {source.name}\n{rules.strip()}\n" for source, rules in parts if rules and rules.strip())
    missing = [source.name for source, rules in parts if rules is None]
    problem = f"the rules in {' and '.join(missing)} are left out: paste them here" if missing else ""
    return OwnRules(text, problem)


# Private


class _Stood(Struct, frozen=True):
    outcome: str = ""


class _Document(Struct, frozen=True):
    facts: msgspec.Raw
    verdict: _Stood = _Stood()


def _kept(connection: Connection, repository: Repository) -> tuple[Sequence[tuple[Change, str, msgspec.Raw]], int]:
    found: list[tuple[Change, str, msgspec.Raw]] = []
    size = left_out = 0
    for change in changes.newest(connection, repository.id, most=MOST):
        last = assessments.latest(connection, change.id)
        document = assessments.document(connection, last.id) if last else None
        if document is None:
            continue
        size += len(document)
        if size > MOST_BYTES:
            left_out += 1
            continue
        try:
            read = msgspec.json.decode(document, type=_Document)
        except (msgspec.DecodeError, UnicodeDecodeError):
            left_out += 1
            continue
        found.append((change, read.verdict.outcome, read.facts))
    return found, left_out


_HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_-]+)")


def _rules_in(source: Source) -> str | None:
    """The `[[rule]]` tables of a settings file as they stand in it; None where they cannot be cut out of it."""
    table = read_toml(source.text, source.origin)
    text = source.text.decode()
    if source.name.startswith(POLICY_FOLDER):
        return text
    if source.name.endswith("pyproject.toml"):
        tool = table.get("tool", {})
        ours = tool.get("tidegate", {}) if isinstance(tool, dict) else {}
        return None if isinstance(ours, dict) and "rule" in ours else ""
    kept, inside = [], False
    for line in text.splitlines():
        if header := _HEADER.match(line):
            inside = header[1] == "rule"
        if inside:
            kept.append(line)
    cut = "\n".join(kept)
    try:
        whole = read_toml(cut.encode(), source.origin) == {key: table[key] for key in ("rule",) if key in table}
    except InputError:
        whole = False
    return cut if whole else None
