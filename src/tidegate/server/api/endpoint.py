"""A typed endpoint: one function from what was asked to an answer; the OpenAPI document follows from its types."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from msgspec import Struct

from tidegate.server.auth.permissions import Permission

if TYPE_CHECKING:
    from tidegate.server.service import Service

Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]
Body = TypeVar("Body")
_PARAMETER = re.compile(r"\{([a-z_]+)(?::(int|path))?\}")


class Nothing(Struct, frozen=True):
    """No body and no query; or nothing to answer (204)."""


class Who(Struct, frozen=True):
    """Somebody who proved who they are. `scopes` are a token's; None in a browser's session."""

    person: int
    name: str
    role: str
    scopes: tuple[str, ...] | None = None
    session: str = ""


class Ask(Struct, Generic[Body], frozen=True):
    """One question to an endpoint: who asks, the parts of the path, the query and the body, both already typed."""

    service: Service
    who: Who
    path: dict[str, Any]
    query: Any
    body: Body


class Problem(Exception):  # noqa: N818 RFC 9457 calls it so
    """An answer that is no success. `status` 4xx; each is documented in the OpenAPI document by its endpoint."""

    def __init__(self, status: int, title: str, *, detail: str = "", mend: str = "") -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.mend = mend


class Endpoint(Struct, frozen=True, kw_only=True):
    """`needs` None: open to everybody, signed in or not. `problems` are the statuses beside 400, 401, 403 and 422."""

    method: Method
    path: str
    needs: Permission | None
    summary: str
    answer: type[Any]
    body: type[Any] = Nothing
    query: type[Any] = Nothing
    problems: tuple[int, ...] = ()
    status: int = 200
    handler: Callable[[Ask[Any]], Any]

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The parts of the path by name, each with its type: str, int or path."""
        return tuple((name, kind or "str") for name, kind in _PARAMETER.findall(self.path))
