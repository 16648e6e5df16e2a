"""Whether two texts mean the same route: templates of every framework, and concrete paths."""

from __future__ import annotations

import re
from collections.abc import Sequence

HOLE = "{}"
REST = "**"


def shape_of(path: str) -> tuple[str, ...]:
    """The segments of a path or template: `{}` for what stands for one segment, `**` for one that stands for any rest.

    "/users/{id}", "/users/:id", "/users/<int:id>", "/users/[id]" and "/users/(?P<id>\\\\d+)/" have one shape.
    """
    path = re.sub(r"^[a-z]+://[^/]*", "", path.strip())
    path = path if "(" in path else path.partition("?")[0]
    path = path.removeprefix("^").removesuffix("$")
    return tuple(_segment(part) for part in _split(path) if part)


def match_score(template: Sequence[str], path: Sequence[str]) -> int:
    """How well a template (a shape) takes a path: 0 not at all, more for more segments that are the same text.

    The path may be a template too; then its holes fit holes only, or the one segment that a value has.
    """
    score = 1
    for place, part in enumerate(template):
        if part == REST:
            return score
        if place >= len(path):
            return 0
        if part == path[place]:
            score += 3 if part != HOLE else 2
        elif part == HOLE and path[place] != REST:
            score += 1
        else:
            return 0
    return score if len(template) == len(path) else 0


# Private

_HOLE = re.compile(r"\{[^{}]*\}|<[^<>]*>|\[[^\[\]]+\]|\(\?P?<[^<>]*>.*\)|\(.*\)|:\w.*|\*|\$\w+|\$\{[^{}]*\}")
_REST = re.compile(
    r"\{[^{}]*(?::path|\.\.\.|\*)\s*\}|\{\*[^{}]*\}|<path:[^<>]*>|\[{1,2}\.\.\.[^\[\]]*\]{1,2}|\*\*|\*\w+|\.\*|\(\.\*\)"
)
_VALUE = re.compile(r"\d+|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{24,64}")


def _segment(part: str) -> str:
    if len(part) > 500:
        return part
    if _REST.fullmatch(part):
        return REST
    if _HOLE.fullmatch(part) or _VALUE.fullmatch(part):
        return HOLE
    # "v{version}" and "{name}.json": a hole with something around it is still one segment that varies.
    return HOLE if re.search(r"\{[^{}]*\}|<[^<>]*>", part) else part


def _split(path: str) -> list[str]:
    """Segments; a slash within brackets of a pattern parts nothing."""
    parts = [""]
    depth = 0
    for character in path[:4000]:
        depth += (character in "{<([") - (character in "}>)]")
        if character == "/" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
