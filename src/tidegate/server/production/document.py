"""What an investigation found, as it is kept with the incident and read by pages and the API."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from tidegate.errors import InternalError
from tidegate.operate.culprit import Change
from tidegate.operate.investigate.values import Investigation
from tidegate.operate.lines import Decided, WrittenLines
from tidegate.operate.values import Ranking

_NOTHING = Investigation(
    timeline=(),
    movers=(),
    conflicts=(),
    similar=(),
    ranking=Ranking(suspects=(), hypotheses=(), none=0.0),
    target=None,
    looks=(),
)


class Kept(Struct, frozen=True, kw_only=True):
    """`changes` are the suspects as people know them, in the order of the ranking; `lines` those of the first of them.

    `decided` says, by commit, who approved and what the gate said. `draft` is the review in Markdown. `made_at` is ""
    where nothing was investigated yet; `digest` is of what it was made from.
    """

    investigation: Investigation = _NOTHING
    changes: tuple[Change, ...] = ()
    lines: tuple[WrittenLines, ...] = ()
    decided: Mapping[str, Decided] = {}
    draft: str = ""
    made_at: str = ""
    digest: str = ""


def read_kept(document: bytes) -> Kept:
    """What `store/incidents.document` gave. InternalError where it is damaged."""
    try:
        return msgspec.json.decode(document, type=Kept)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InternalError("a kept investigation is damaged") from error
