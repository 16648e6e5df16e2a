"""`tidegate outcomes`: what became of what was deployed, for whoever learns from it."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tidegate.cli.options import write_to
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.risk.labels.labels import Outcome

_FILE = click.Path(path_type=Path)
_KINDS = {
    "clean": "fine",
    "incident": "incident",
    "rolled-back": "rollback",
    "reverted": "rollback",
    "fixed": "hot-fix",
}
_WORDS = {"incident": "of incidents", "rollback": "of roll-backs", "hot-fix": "of fixes", "fine": "clean"}
MOST_PAGES = 5000


@click.group(name="outcomes")
def outcomes() -> None:
    """What became of what was deployed: incidents, roll-backs, fixes, and what held."""


@outcomes.command(name="export")
@click.option("--server", required=True, help="The service that knows it.")
@click.option("--environment", default="production", show_default=True, metavar="NAME", help="Where it happened.")
@click.option("--repository", default="", metavar="OWNER/NAME", help="Of this one alone. [default: all]")
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write to this file.")
def export(server: str, environment: str, repository: str, output: Path | None) -> None:
    """Write them as a file for `risk train --outcomes` and `policy backtest --outcomes`.

    Each with how sure it is that the change is meant. A change that is not in the file is not known to be good. Needs
    TIDEGATE_TOKEN with the scope changes:read.
    """
    from tidegate.risk.labels.told import encode_outcomes

    found = _read(server, environment, repository)
    write_to(output, encode_outcomes(found))
    counts: Counter[str] = Counter(one.kind for one in found)
    said = ", ".join(f"{counts[kind]:,} {words}" for kind, words in _WORDS.items() if counts[kind])
    click.echo(f"{len(found):,} outcomes{f': {said}' if said else ''}", err=True)


# Private


def _read(server: str, environment: str, repository: str) -> list[Outcome]:
    from tidegate.cli.remote import Remote

    remote = Remote(server, os.environ, "changes:read")
    found: list[Outcome] = []
    after = 0
    for _ in range(MOST_PAGES):
        page = remote.find("/outcomes", {"environment": environment, "after": str(after), "most": "100"}) or {}
        try:
            items, following = page["items"], page["next"]
            found += [_outcome(item) for item in items if not repository or item["repository"] == repository]
            following = None if following is None else int(following)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("the service answered something else than expected", where=server) from error
        if following is None:
            return found
        if following <= after:
            break
        after = following
    raise InputError("the service answers pages without an end", where=server)


def _outcome(item: dict[str, Any]) -> Outcome:
    from tidegate.risk.labels.labels import Outcome

    kind: Any = _KINDS[item["result"]]
    weight = min(max(float(item["weight"]), 0.001), 1.0)
    return Outcome(str(item["commit"]), kind, str(item["by"]), int(item["known"]), weight)
