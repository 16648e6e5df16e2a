"""A typed endpoint: one function from what was asked to an answer; the OpenAPI document follows from its types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from msgspec import Struct

from tidegate.server.auth.permissions import Permission

if TYPE_CHECKING:
    from tidegate.server.service import Service

Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]
Kind: TypeAlias = Literal["str", "int", "path"]
Query = TypeVar("Query")
Body = TypeVar("Body")
LARGEST_ID = 2**63 - 1
_PART = re.compile(r"\{([a-z_]+)(?::(int|path))?\}")


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No query, no body; as an answer: 204."""


REPOSITORY = "repository:"
"""What a scope begins with that is no permission but the id of a repository."""


class Who(Struct, frozen=True):
    """Somebody who proved who they are. `scopes` are a token's; None in a browser's session."""

    person: int
    name: str
    role: str
    scopes: tuple[str, ...] | None = None
    session: str = ""
    """The digest of the session, "" for a token."""

    @property
    def repositories(self) -> frozenset[int] | None:
        """Those that a token speaks for, by id; None where it, or the session, speaks for all."""
        found = [scope.removeprefix(REPOSITORY) for scope in self.scopes or () if scope.startswith(REPOSITORY)]
        return frozenset(map(int, found)) if found else None

    def speaks_for(self, repository: int | None) -> bool:
        """Whether it was made for this one; None: nobody knows which, and only who speaks for all does."""
        return self.repositories is None or repository in self.repositories


class Ask(Struct, Generic[Query, Body], frozen=True):
    """One question to an endpoint: who asks, the parts of the path, the query and the body, already typed."""

    service: Service
    who: Who
    path: Mapping[str, Any]
    query: Query
    body: Body


class Message(Struct, frozen=True):
    """A body that is taken as it came, with the headers beside it (their names in small letters)."""

    content: bytes
    headers: Mapping[str, str]


class Raw(Struct, frozen=True):
    """An answer that is no JSON: tiles, receipts, packs."""

    content: bytes
    media_type: str
    headers: Mapping[str, str] = {}
    status: int = 0
    """One of the endpoint's `also`; 0: that of success."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """`needs` None: whoever is signed in, for what is their own. `media_type` is of an answer that is Raw.

    400, 401, 403, 413, 415, 421, 422 and 503 are documented where they can happen; `problems` are the others.
    """

    method: Method
    path: str
    needs: Permission | None
    summary: str
    handler: Callable[[Any], Any]
    answer: Any = Nothing
    body: type[Any] = Nothing
    query: type[Any] = Nothing
    problems: tuple[int, ...] = ()
    status: int = 200
    media_type: str = "application/json"
    most_bytes: int = 1 << 20
    """Of the body: more is refused with 413 before it is read."""
    takes: tuple[str, ...] = ("application/json",)
    """Media types of the body; others are refused with 415. Empty, of a Message: any."""
    of_repository: bool = False
    """Whether it asks for which repository a token speaks. Others refuse tokens that speak for some only."""
    also: tuple[int, ...] = ()
    """Statuses under which the same kind of answer is given, beside that of success."""

    @property
    def parts(self) -> tuple[tuple[str, Kind], ...]:
        """The parts of the path by name, each with its kind."""
        return tuple((name, kind or "str") for name, kind in _PART.findall(self.path))

    @property
    def name(self) -> str:
        """Its operationId: the handler's module and name."""
        return f"{self.handler.__module__.rpartition('.')[2]}_{self.handler.__name__}"
