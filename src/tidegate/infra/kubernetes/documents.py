"""YAML and JSON as cluster tools read them: many documents in a file, bounded, each with the line that it begins at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from tidegate.infra.values import Value

LARGEST_BYTES = 8 * 1024 * 1024
DEEPEST = 64
MOST_VALUES = 400_000
"""Values of one file once every alias is written out: a few lines of aliases can stand for billions."""


class Document(Struct, frozen=True):
    """One document of a file. `items` are the lines of the entries of a top-level `items`, for lists of objects."""

    value: Value
    line: int
    items: tuple[int, ...] = ()


class Parsed(Struct, frozen=True):
    """A file as documents. `problem` says why it cannot be read, "" where it can, and `line` where it was met;
    `twice` are keys that stand twice.
    """

    documents: tuple[Document, ...] = ()
    problem: str = ""
    twice: tuple[str, ...] = ()
    line: int = 1


class Parser:
    """Reads files, and each text between two `---` once: most of a changed file stands on both sides of the change."""

    def __init__(self) -> None:
        self._chunks: dict[str, Parsed] = {}

    def parse(self, data: bytes) -> Parsed:
        """The documents of a file. What is no YAML is said in `problem`, never raised."""
        if len(data) > LARGEST_BYTES:
            return Parsed(problem=f"it is larger than {LARGEST_BYTES >> 20} MB")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return Parsed(problem="it is not UTF-8")
        documents: list[Document] = []
        twice: list[str] = []
        for line, chunk in _chunks(text.replace("\r\n", "\n")):
            found = self._chunks.get(chunk)
            if found is None:
                found = self._chunks[chunk] = _parse(chunk)
            if found.problem:
                return Parsed(tuple(documents), f"line {line + found.line - 1}: {found.problem}", tuple(twice))
            documents += [
                Document(one.value, one.line + line - 1, tuple(item + line - 1 for item in one.items))
                for one in found.documents
            ]
            twice += found.twice
        return Parsed(tuple(documents), "", tuple(twice))


# Private


class _RefusedError(Exception):
    """Why a document is not read."""


_BREAK = re.compile(r"^---(?=\s|$)", re.MULTILINE)


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """The texts between the document marks, with the lines that they begin at."""
    start, line = 0, 1
    for mark in [*_BREAK.finditer(text), None]:
        end = mark.start() if mark else len(text)
        chunk = text[start:end]
        if chunk.strip():
            yield line, chunk
        line += chunk.count("\n")
        start = mark.start() + 3 if mark else end


def _parse(chunk: str) -> Parsed:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents: list[Document] = []
    builder = _Builder()
    try:
        _refuse_depth(chunk, loader)
        for node in yaml.compose_all(chunk, loader):
            value = builder.build(node, 0)
            if value is not None:
                documents.append(Document(value, node.start_mark.line + 1, tuple(_item_lines(node))))
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark.line + 1 if error.problem_mark else 1
        return Parsed(tuple(documents), str(error.problem or error.context), line=at)
    except (yaml.YAMLError, _RefusedError, ValueError) as error:
        return Parsed(tuple(documents), str(error).split("\n", 1)[0])
    except RecursionError:
        return Parsed(tuple(documents), f"it is nested deeper than {DEEPEST}")
    return Parsed(tuple(documents), "", tuple(builder.twice))


_INDENT = re.compile(r"^[ ]*(?:[-?:][ ]+)*", re.MULTILINE)


def _refuse_depth(chunk: str, loader: Any) -> None:
    """Stops before the composer does, which goes down by recursion in C and would take the process with it."""
    import yaml

    flow = chunk.count("[") + chunk.count("{")
    if flow <= DEEPEST and 2 * max(len(match[0]) for match in _INDENT.finditer(chunk)) <= 4 * DEEPEST:
        return
    depth = 0
    for event in yaml.parse(chunk, loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise _RefusedError(f"it is nested deeper than {DEEPEST}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _item_lines(node: Any) -> Iterator[int]:
    for key, value in node.value if isinstance(node.value, list) and node.id == "mapping" else ():
        if key.value == "items" and value.id == "sequence":
            yield from (entry.start_mark.line + 1 for entry in value.value)


class _Builder:
    """Makes values of nodes, written out where aliases share them, and stops where that comes to too many."""

    def __init__(self) -> None:
        self.twice: list[str] = []
        self._left = MOST_VALUES

    def build(self, node: Any, depth: int) -> Value:
        self._left -= 1
        if self._left < 0:
            raise _RefusedError("its aliases stand for too many values")
        if depth > DEEPEST:
            raise _RefusedError(f"it is nested deeper than {DEEPEST}")
        if node.id == "scalar":
            return node.value if node.style else _scalar(node.value)
        if node.id == "sequence":
            return [self.build(one, depth + 1) for one in node.value]
        return self._mapping(node, depth)

    def _mapping(self, node: Any, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for key, value in node.value:
            if key.id != "scalar":
                raise _RefusedError("a key is no text, as in a template")
            name = key.value
            built = self.build(value, depth + 1)
            if name == "<<" and not key.style:
                for one in built if isinstance(built, list) else [built]:
                    merged = {**(one if isinstance(one, dict) else {}), **merged}
                continue
            if name in found:
                self.twice.append(name)
            found[name] = built
        return {**merged, **found} if merged else found


_INTEGER = re.compile(r"[-+]?\d{1,18}")
_FLOAT = re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+)([eE][-+]?\d+)?")


def _scalar(text: str) -> Value:
    """A plain scalar as Kubernetes' own YAML reads it: `yes` and dates stay text."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text.lower() in ("true", "false") and (text.islower() or text.istitle() or text.isupper()):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        if len(text) > 1 and text[0] == "0":
            return int(text, 8) if not set(text) & set("89") else text
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
