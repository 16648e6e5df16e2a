"""What commits and pull requests say about agents: trailers anywhere, identities, phrases, branches, labels.

A declaration holds for a whole commit (or, with an empty `commit`, for a whole pull request), never for single lines.
Only mechanical marks count; the table of them is `signatures.toml`. How code or prose reads is never evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tidegate.change.values import Commit, Person, PullRequest
from tidegate.facts import Declaration, Evidence, Role
from tidegate.provenance.messages import Trailer, read_trailers, said_lines
from tidegate.provenance.signatures import Match, Signatures, load_signatures, shown_model

TEXT_LIMIT = 200


def read_declarations(
    commits: Sequence[Commit],
    pull_request: PullRequest | None,
    signatures: Signatures | None = None,
) -> tuple[Declaration, ...]:
    """Every mark of an agent on the commits, in their order, then on the pull request (`commit` is empty there).

    One mark is reported once for each commit, tool, role and place, however often it is written.
    """
    table = signatures or load_signatures()
    found: list[Declaration] = []
    for commit in commits:
        found += _unique(_of_commit(commit, table))
    if pull_request is not None:
        found += _unique(_of_pull_request(pull_request, table))
    return tuple(found)


def is_agent(person: Person, signatures: Signatures) -> bool:
    """Whether a git identity is an agent's own, so that it is nobody who could answer for a line."""
    found = signatures.find("identity", str(person))
    return found is not None


# Private

_NOT_AI = frozenset({"no", "none", "false", "n/a", "na", "nope", "-", "human", "0", "not used", "no ai"})
_VALUE = re.compile(r"(?P<tool>[^:(\[<@]{1,80})(?::\s*(?P<model>[^\s\[(,;]{1,120})|\s*\((?P<inside>[^)]{1,120})\))?")
_AFTER_TOOL = re.compile(
    r"\s*(?:$|[:(\[,/;@]|.*[0-9]|(?:code|cli|chat|agent|ai|assistant|opus|sonnet|haiku|pro|flash|max|desktop|web|cloud"
    r"|app|coding)\b)",
    re.IGNORECASE,
)


class _Named(NamedTuple):
    tool: str
    model: str


def _of_commit(commit: Commit, table: Signatures) -> Iterator[Declaration]:
    author = table.find("identity", str(commit.author))
    if author:
        yield _declared(commit.oid, author, _role_as("author", author), "author", str(commit.author))
    committer = table.find("identity", str(commit.committer))
    if committer and commit.committer != commit.author:
        yield _declared(commit.oid, committer, _role_as("co-author", committer), "committer", str(commit.committer))
    for trailer in read_trailers(commit.message):
        yield from _of_trailer(commit.oid, trailer, table)
    words = "\n".join(line for _, line in said_lines(commit.message))
    for match in table.find_all("message", words):
        yield _declared(commit.oid, match, match.signature.role, "message", _line_of(match, words))


def _of_trailer(commit: str, trailer: Trailer, table: Signatures) -> Iterator[Declaration]:
    where = f"trailer {trailer.key}"
    text = f"{trailer.key}: {trailer.value}"
    match = table.find("trailer", trailer.value, trailer.key)
    if match:
        yield _declared(commit, match, match.signature.role, where, text)
    role = table.keys.get(trailer.key)
    identity = table.find("identity", trailer.value) if role else None
    if role and identity:
        yield _declared(commit, identity, _role_as(role, identity), where, text)
        return
    generic = table.generic.get(trailer.key)
    if generic:
        named = _named_by_value(trailer.value, table, accept_any=generic.any)
        if named:
            yield _declaration(commit, named, generic.role, "E2", where, text)


def _named_by_value(value: str, table: Signatures, *, accept_any: bool) -> _Named | None:
    """The tool and model that `AGENT:MODEL [TOOLS]`, `TOOL (MODEL)` or a bare name say.

    A person's `Name <email>` is none, and neither is a name that only begins like a tool's (Claude Dupont).
    """
    if value.strip().lower() in _NOT_AI:
        return None
    match = _VALUE.match(value)
    if match is None or ("<" in value and "@" in value.split("<")[-1]):
        return None
    tool = table.named_by(value)
    rest = table.after_name(value)
    if not tool or (not accept_any and not _AFTER_TOOL.match(rest)):
        return _Named(table.tool_of(match["tool"]), _model(match)) if accept_any else None
    model = _model(match)
    if not model and rest.strip() and any(c.isdigit() for c in rest):
        model = re.split(r"\s+(?:on behalf of|via|and|with)\s|[\[(<,;]", value)[0].strip()
    return _Named(tool, shown_model(model))


def _model(match: re.Match[str]) -> str:
    return shown_model(match["model"] or match["inside"] or "")


def _of_pull_request(pull_request: PullRequest, table: Signatures) -> Iterator[Declaration]:
    account = table.find("account", pull_request.author)
    if account:
        yield _declared("", account, _role_as("author", account), "pull request author", pull_request.author)
    branch = table.find("branch", pull_request.source)
    if branch:
        yield _weak(branch, branch.signature.role, "branch", pull_request.source)
    for label in pull_request.labels:
        match = table.find("label", label)
        if match:
            yield _weak(match, match.signature.role, "label", label)
    for trailer in read_trailers(pull_request.body):
        for declaration in _of_trailer("", trailer, table):
            yield _lowered(declaration)
    words = "\n".join(line for _, line in said_lines(pull_request.body))
    for match in table.find_all("message", words):
        yield _weak(match, match.signature.role, "pull request description", _line_of(match, words))


def _role_as(role: Role, match: Match) -> Role:
    own = match.signature.role
    return own if own in ("suggestion", "review") else role


def _declared(commit: str, match: Match, role: Role, where: str, text: str) -> Declaration:
    return _declaration(
        commit, _Named(match.tool, match.model), role, match.signature.evidence, where, text, match.session
    )


def _weak(match: Match, role: Role, where: str, text: str) -> Declaration:
    return _declaration("", _Named(match.tool, match.model), role, "E1", where, text, match.session)


def _declaration(
    commit: str, named: _Named, role: Role, evidence: Evidence, where: str, text: str, session: str = ""
) -> Declaration:
    return Declaration(
        commit=commit,
        tool=named.tool,
        model=named.model,
        role=role,
        evidence=evidence,
        where=where,
        text=text[:TEXT_LIMIT],
        session=session,
    )


def _lowered(declaration: Declaration) -> Declaration:
    return Declaration(
        commit="",
        tool=declaration.tool,
        model=declaration.model,
        role=declaration.role,
        evidence="E1",
        where=f"pull request {declaration.where}",
        text=declaration.text,
        session=declaration.session,
    )


def _line_of(match: Match, words: str) -> str:
    """The line that carries the mark, for people."""
    start = words.rfind("\n", 0, max(match.end - 1, 0)) + 1
    return words[start:].split("\n", 1)[0].strip()


def _unique(declarations: Iterator[Declaration]) -> list[Declaration]:
    found: dict[tuple[str, str, Role, str, str], Declaration] = {}
    for declaration in declarations:
        key = (declaration.tool, declaration.model, declaration.role, declaration.where, declaration.session)
        found.setdefault(key, declaration)
    return list(found.values())
