"""A change to read, its hunks in reading order; and what other rules would have said of it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.policy.verdict import Verdict
from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.problems import Problem
from tidegate.server.console.kept import open_change, read_hunks
from tidegate.server.hunks import ReadHunk
from tidegate.server.mirrors import open_mirrors
from tidegate.server.simulation import Asked
from tidegate.server.simulation import simulate as tried
from tidegate.server.standing import look

_MOST_BYTES = 512 * 1024


class Hunks(Struct, frozen=True):
    """Of the state that was assessed last: `head`. The one that deserves the first look comes first."""

    head: str
    items: tuple[ReadHunk, ...]


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """`rules` is TOML with `[[rule]]` tables, in the place of the repository's own; the pack stays as it is set."""

    rules: Annotated[str, Meta(max_length=200_000)]


class Simulated(Struct, frozen=True):
    """The outcome that stands, and what these rules would say. It is said to whoever asks, and recorded nowhere."""

    stands: str
    verdict: Verdict


def hunks(ask: Ask[Nothing, Nothing]) -> Hunks:
    """With their lines where this machine has them."""
    with ask.service.database.read() as connection:
        opened = open_change(ask.service.cache, connection, ask.path["change"])
    if opened.assessment is None:
        raise Problem(409, "the change was not assessed yet", mend="ask for a verdict, and wait for it")
    return Hunks(opened.assessment.head, read_hunks(ask.service, opened))


def simulate(ask: Ask[Nothing, Rules]) -> Simulated:
    """Other rules on the facts that are kept, with owners and settings of the target branch as it is now."""
    standing = look(ask.service, ask.path["change"])
    repository, config = standing.repository, ask.service.config
    mirror = open_mirrors(config).path_of(repository.forge, repository.slug)
    asked = Asked(ask.body.rules, str(mirror), f"refs/heads/{standing.change.target}", standing.document)
    return Simulated(standing.assessment.verdict, tried(config, asked))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/changes/{change:int}/hunks",
        needs="changes:read",
        summary="The hunks of a change in reading order",
        handler=hunks,
        answer=Hunks,
        problems=(409,),
    ),
    Endpoint(
        method="POST",
        path="/changes/{change:int}/simulation",
        needs="changes:assess",
        summary="What other rules would say of a change",
        handler=simulate,
        body=Rules,
        answer=Simulated,
        problems=(409,),
        most_bytes=_MOST_BYTES,
    ),
)
