"""What a provider has to answer: which files it reads, and what each of them claims of which service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from tidegate.reach.services.tree import Tree

Role: TypeAlias = Literal["deploy", "build", "catalog", "package"]


class Mention(Struct, frozen=True):
    """A service uses what `name` means: a host, or with `by_name` the name of a service or of an API ("api:orders")."""

    name: str
    reason: str
    probability: float
    by_name: bool = False


class Claim(Struct, frozen=True, kw_only=True):
    """What one file says of one service.

    A claim of role "deploy" says that it runs, "build" how an image is made, "catalog" what people say of it, "package"
    that something could be built here. `paths` build it, in the words of `paths.py`; `deploys` are files and folders
    that set it up. `built` says that the file itself names what builds it; `dockerfile` is that file, where it is one.
    `apis` are the APIs that it provides.
    """

    provider: str
    role: Role
    source: str
    name: str
    kind: str
    folder: str = ""
    paths: tuple[str, ...] = ()
    deploys: tuple[str, ...] = ()
    built: bool = False
    dockerfile: str = ""
    images: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    owner: str = ""
    tier: str = ""


class Provider(NamedTuple):
    """One kind of file. `wants` chooses by path; `read` is asked for every such path and never raises on bad content:
    it says `tree.fail`."""

    name: str
    wants: Callable[[str], bool]
    read: Callable[[str, Tree], Iterator[Claim]]
