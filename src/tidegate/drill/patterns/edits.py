"""Small changes to texts, and where they can be made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from tidegate.drill.ground import Ground

TERRAFORM = (".tf",)
YAML = (".yaml", ".yml")
CODE = (".py", ".js", ".ts", ".tsx", ".jsx", ".mjs", ".rb", ".go", ".java", ".kt", ".php", ".cs", ".rs")


class Block(NamedTuple):
    """A `resource "type" "name"` of Terraform: its file and its first and last line, counted from 1."""

    path: str
    type: str
    name: str
    start: int
    end: int


def replaced(text: str, line: int, new: str | None) -> str:
    """The text with another line in the place of this one (from 1), or without it."""
    lines = text.split("\n")
    lines[line - 1 : line] = [] if new is None else [new]
    return "\n".join(lines)


def inserted(text: str, after: int, new: Sequence[str]) -> str:
    """The text with lines added after this one; 0 puts them first."""
    lines = text.split("\n")
    lines[after:after] = new
    return "\n".join(lines)


def line_of(text: str, number: int) -> str:
    return text.split("\n")[number - 1]


def without_lines(text: str, start: int, end: int) -> str:
    """The text without these lines, and without the blank one that would be left over."""
    lines = text.split("\n")
    if end < len(lines) and not lines[end].strip() and (start < 2 or not lines[start - 2].strip()):
        end += 1
    del lines[start - 1 : end]
    return "\n".join(lines)


def blocks(ground: Ground) -> list[Block]:
    """The resources of all Terraform of the tree that ends where its braces say."""
    found = []
    for path, start, match in ground.lines(ground.paths(*TERRAFORM), _RESOURCE):
        end = block_end(ground.text(path) or "", start)
        if end:
            found.append(Block(path, match[1], match[2], start, end))
    return found


def block_end(text: str, start: int) -> int:
    """The line on which the braces that open on `start` close; 0 where they never do. Here-documents are not read."""
    depth = 0
    for number, line in enumerate(text.split("\n")[start - 1 :], start):
        code = _QUOTED.sub("", line).split("#", 1)[0]
        depth += code.count("{") - code.count("}")
        if depth == 0:
            return number
        if number - start > _LONGEST_BLOCK:
            return 0
    return 0


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def noise_hex(seed: Random, digits: int) -> str:
    return "".join(seed.choice("0123456789abcdef") for _ in range(digits))


# Private

_RESOURCE = re.compile(r'^resource\s+"([a-z][a-z0-9_]{2,80})"\s+"([A-Za-z_][A-Za-z0-9_-]{0,80})"\s*\{\s*$')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_LONGEST_BLOCK = 400
