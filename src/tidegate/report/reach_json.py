"""Reach for machines: `tidegate.reach/1`, and the paths of `--why` as `tidegate.reach-why/1`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from tidegate import __version__
from tidegate.facts import to_json
from tidegate.reach.answer import Hop, ReachAnswer
from tidegate.report.document import encodable
from tidegate.report.escape import json_line


class ReachDocument(ReachAnswer, frozen=True, kw_only=True):
    """What `tidegate reach --format json` writes: the whole answer, whatever depth or limit a text would show."""

    schema: Literal["tidegate.reach/1"] = "tidegate.reach/1"
    tidegate: Annotated[str, Meta(description="version of Tidegate")] = __version__


class WhyDocument(Struct, frozen=True, kw_only=True):
    """What `tidegate reach --why A --format json` writes: the strongest paths first, each from A to what changed."""

    schema: Literal["tidegate.reach-why/1"] = "tidegate.reach-why/1"
    tidegate: Annotated[str, Meta(description="version of Tidegate")] = __version__
    paths: tuple[tuple[Hop, ...], ...]


def render_reach_json(answer: ReachAnswer) -> str:
    """Canonical JSON: sorted keys, no white space, one line."""
    return _render(ReachDocument(**{name: getattr(answer, name) for name in ReachAnswer.__struct_fields__}))


def render_why_json(paths: Sequence[Sequence[Hop]]) -> str:
    """Canonical JSON: sorted keys, no white space, one line."""
    return _render(WhyDocument(paths=tuple(tuple(path) for path in paths)))


# Private


def _render(document: Struct) -> str:
    try:
        text = to_json(document)
    except UnicodeEncodeError:  # a name may hold half a surrogate pair, which UTF-8 cannot
        built: Any = msgspec.to_builtins(document)
        text = to_json(encodable(built))
    return json_line(text.decode()) + "\n"
