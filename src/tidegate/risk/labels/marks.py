"""Which agent each commit of a history declares. Fast, for most commits declare none."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tidegate.change.values import Commit, Person
from tidegate.facts import Declaration
from tidegate.provenance.declared import is_agent, read_declarations
from tidegate.provenance.signatures import Signatures, load_signatures
from tidegate.risk.values import Mark, PastCommit

NO_MARK = Mark()


def marks_of(commits: Iterable[PastCommit], signatures: Signatures | None = None) -> dict[str, Mark]:
    """The agent that each commit declares as its author or co-author, by object id; commits that declare none are left
    out. Of several the author wins over a co-author, then the first that names its model.

    The same answer as `provenance.declared.read_declarations`, which is asked only about commits that can carry a mark.
    """
    table = signatures or load_signatures()
    sieve = _Sieve(table)
    found: dict[str, Mark] = {}
    for commit in commits:
        if sieve.may_declare(commit):
            mark = _mark(read_declarations((_as_commit(commit),), None, table))
            if mark.tool:
                found[commit.oid] = mark
    return found


# Private

_WROTE = {"author": 0, "co-author": 1}
_LINE = re.compile(
    r"^[ \t*•+-]*([a-z][a-z0-9-]{1,40}(?: by)?)\*{0,2} ?:\*{0,2}[ \t]*(?!//)(\S.*)", re.MULTILINE | re.IGNORECASE
)
_ENCODED = re.compile(r"[\\&]|<[^>]*$")


class _Sieve:
    """Tells cheaply which commits cannot carry a mark; people, and the values of trailers, come again and again."""

    def __init__(self, table: Signatures) -> None:
        self._table = table
        self._people: dict[Person, bool] = {}
        self._trailers: dict[tuple[str, str], bool] = {}

    def may_declare(self, commit: PastCommit) -> bool:
        if self._is_agent(commit.author) or self._is_agent(commit.committer):
            return True
        message = commit.message
        if ":" in message and any(self._names_agent(key, value) for key, value in _LINE.findall(message)):
            return True
        return bool(self._table.find_all("message", message))

    # Private

    def _is_agent(self, person: Person) -> bool:
        if person not in self._people:
            self._people[person] = is_agent(person, self._table)
        return self._people[person]

    def _names_agent(self, key: str, value: str) -> bool:
        key = key.lower().replace(" ", "-")
        if key in self._table.generic:
            return True
        if key not in self._table.keys:
            return self._table.find("trailer", value.strip(), key) is not None
        asked = (key, value.strip())
        if asked not in self._trailers:
            self._trailers[asked] = bool(_ENCODED.search(value)) or self._table.find("identity", asked[1]) is not None
        return self._trailers[asked] or self._table.find("trailer", asked[1], key) is not None


def _mark(declarations: Iterable[Declaration]) -> Mark:
    wrote = [one for one in declarations if one.role in _WROTE and one.tool]
    if not wrote:
        return NO_MARK
    best = min(wrote, key=lambda one: (_WROTE[one.role], not one.model))
    # A tool often signs twice, and only one of the two names its model.
    model = best.model or next((one.model for one in wrote if one.tool == best.tool and one.model), "")
    return Mark(best.tool, model)


def _as_commit(commit: PastCommit) -> Commit:
    return Commit(
        oid=commit.oid,
        tree="",
        parents=commit.parents,
        author=commit.author,
        committer=commit.committer,
        authored_at="",
        committed_at="",
        message=commit.message,
    )
