"""What types of resources hold, and which are known to hold nothing.

Terraform's names, in the lists `tables/stateful.txt` and `tables/stateless.txt`, which are knowledge of the providers'
documentation. A type that is in neither is unknown, and what is unknown is never taken for harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct

from tidegate.facts import Severity
from tidegate.infra.tables import lines


class Stateful(Struct, frozen=True):
    """What is lost with a resource. `word` is what people call it, `holds` reads as `the rows of a database`;
    `severity` is that of its loss in production; `recovers` is what would bring it back if somebody kept it."""

    word: str
    holds: str
    severity: Severity
    recovers: str = ""


def stateful(type_: str) -> Stateful | None:
    """What a type of resource holds, None where it is not known to hold anything."""
    return _stateful().get(type_)


def is_stateless(type_: str) -> bool:
    """Whether a type is known to hold nothing that is lost with it. Its loss may still be an outage."""
    if type_ in _stateful():
        return False
    known = _stateless()
    return type_ in known["is"] or type_.startswith(known["begins"]) or type_.endswith(known["ends"])


def is_utility(type_: str) -> bool:
    """Whether a type exists in the state alone, so that its loss is never worth a word."""
    return type_.startswith(_UTILITIES)


def runs_code(type_: str) -> bool:
    """Whether people's code runs in it: a service, a function, a machine."""
    return type_ in _stateless()["runs code"]


# Private

_KINDS = (
    Stateful("database", "its rows", "critical", "a final snapshot, backups or point-in-time recovery"),
    Stateful("search domain", "its indices", "critical", "a manual snapshot"),
    Stateful("table", "its items", "critical", "a backup or point-in-time recovery"),
    Stateful("bucket", "its objects", "critical", "a copy in another bucket"),
    Stateful("file system", "its files", "critical", "a backup"),
    Stateful("disk", "its blocks", "critical", "a snapshot"),
    Stateful("store of backups", "the backups in it", "critical"),
    Stateful("snapshot", "the copy of the data that it is", "high"),
    Stateful("user pool", "its users and their passwords", "critical"),
    Stateful("directory", "its users and groups", "critical", "a snapshot"),
    Stateful("key", "the only way to read what it encrypted", "critical", "its deletion window"),
    Stateful("key vault", "every key and secret in it", "critical", "soft delete"),
    Stateful("secret", "its value", "high", "its recovery window"),
    Stateful("DNS zone", "its records and the name servers that the domain points to", "critical"),
    Stateful("cache", "what is cached in it", "high", "a snapshot"),
    Stateful("queue", "the messages in it", "high"),
    Stateful("subscription", "the messages that it has not delivered", "high"),
    Stateful("stream", "the records in it", "high"),
    Stateful("broker", "its topics and the messages in them", "high"),
    Stateful("log store", "the logs in it", "high", "an export"),
    Stateful("image registry", "its images", "high", "builds"),
    Stateful("package registry", "its packages", "high", "builds"),
    Stateful("repository", "its commits, issues and settings", "critical", "clones"),
    Stateful("cluster", "everything that runs in it and its volumes' claims", "critical"),
    Stateful("container of resources", "everything in it", "critical"),
    Stateful("store of metrics", "its history", "high"),
    Stateful("catalogue", "its definitions, not the data that they describe", "medium"),
    Stateful("object", "its content", "low", "the code where it is written there"),
    Stateful("workspace", "its users' files", "critical", "a snapshot"),
    Stateful("release", "what its chart made; volumes that it claimed may go with it", "medium"),
    Stateful("stack", "every resource in it", "high"),
)
_UTILITIES = ("null_", "random_", "time_", "local_", "archive_", "template_", "terraform_", "external", "cloudinit_")


@cache
def _stateful() -> Mapping[str, Stateful]:
    kinds = {kind.word: kind for kind in _KINDS}
    return {type_: kinds[word] for word, types in _sections("stateful") for type_ in types}


@cache
def _stateless() -> Mapping[str, tuple[str, ...]]:
    found = {word: tuple(types) for word, types in _sections("stateless")}
    return {
        **found,
        "begins": (*found["begins"], *_UTILITIES),
        "ends": tuple(f"_{one.lstrip('_')}" for one in found["ends"]),
    }


def _sections(name: str) -> Iterator[tuple[str, list[str]]]:
    word, types = "", list[str]()
    for line in [*lines(name), ["="]]:
        if line[0] != "=":
            types += line
            continue
        if word:
            yield word, types
        word, types = " ".join(line[1:]), []
