"""Pages of long lists: each says where the next one begins, by key and never by number, so that none is missed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, TypeAlias, TypeVar

from msgspec import Meta, Struct

from tidegate.server.api.endpoint import LARGEST_ID
from tidegate.server.api.problems import Problem

T = TypeVar("T")

DEFAULT = 50
Most: TypeAlias = Annotated[int, Meta(ge=1, le=100, description="how many at most")]
Id: TypeAlias = Annotated[int, Meta(ge=0, le=LARGEST_ID)]
Digest: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$(?!\n)", max_length=64)]
Line: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
"""A text of one line."""


class Paging(Struct, frozen=True, forbid_unknown_fields=True):
    """`after` is the `next` of the page before; 0 begins."""

    after: Id = 0
    most: Most = DEFAULT


def next_of(items: Sequence[T], most: int, key: Callable[[T], int]) -> int | None:
    """Where the next page begins; None after the last one."""
    return key(items[-1]) if len(items) == most and items else None


def found(value: T | None, what: str) -> T:
    """The value. Problem 404 where there is none."""
    if value is None:
        raise Problem(404, f"there is no such {what}")
    return value
