"""Reads the text of Terraform's language into blocks and expressions.

A reader of its own, because the grammar of python-hcl2 takes 1.3 s of CPU to build in every process, and because one
broken block must not hide the others of its file: what cannot be read keeps its header, so that a block that goes
away is seen.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from itertools import accumulate
from typing import NoReturn

from tidegate.infra.terraform.expressions import Reader
from tidegate.infra.terraform.scanning import UnreadableError
from tidegate.infra.terraform.syntax import Block, Expression, Fault, Literal, Opaque, Source

DEEPEST = 60
"""Blocks and expressions nested deeper than any that a person writes are not followed."""


def read_hcl(text: str, path: str = "") -> Source:
    """The blocks of a file. Never raises: what cannot be read is among the faults, its block is `broken`."""
    return _File(text.removeprefix("\ufeff").replace("\r\n", "\n"), path).read()


# Private

_HEADER = re.compile(
    r"(?:resource|data|ephemeral|module|variable|output|locals|terraform|provider|moved|removed|import|check|"
    r"include|inputs|dependency|dependencies|remote_state|generate)\b[^\n{=]*[{=]"
)
_TOP = re.compile(rf"^(?={_HEADER.pattern})", re.MULTILINE)
_WORD = re.compile(r"[^\W\d][\w-]*")
_LABEL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|([^\W\d][\w-]*)')


class _File:
    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self._reader = Reader(text)
        self._lines = list(accumulate((len(line) for line in text.splitlines(keepends=True)), initial=0))

    def read(self) -> Source:
        blocks: list[Block] = []
        attributes: dict[str, Expression] = {}
        faults: list[Fault] = []
        at = self._reader
        while not at.ended():
            start = at.place
            try:
                self._entry(blocks, attributes, 0)
            except (UnreadableError, RecursionError) as error:
                reason = str(error) if isinstance(error, UnreadableError) else "it is nested too deeply"
                faults.append(Fault(self._line(min(at.place, len(self._text))), reason))
                at.place = self._after(start)
                if broken := self._header(start, at.place, reason):
                    blocks.append(broken)
        return Source(tuple(blocks), attributes, tuple(faults))

    def _entry(self, blocks: list[Block], attributes: dict[str, Expression], depth: int) -> None:
        at = self._reader
        start = at.place
        word = at.take(_WORD) or self._name(depth)
        at.skip_spaces()
        if at.looking_at("=") and not at.looking_at("=="):
            at.place += 1
            attributes[word] = at.expression(depth)
            at.end_of_entry()
            return
        labels = []
        while found := _LABEL.match(self._text, at.place):
            labels.append(found[1] if found[1] is not None else found[2])
            at.place = found.end()
            at.skip_spaces()
        at.expect("{")
        blocks.append(self._body(word, tuple(labels), start, depth + 1))
        at.end_of_entry()

    def _name(self, depth: int) -> str:
        """A quoted name: of an attribute in a file of variables, or in a block written by machines."""
        at = self._reader
        if not at.looking_at('"'):
            at.fail("a name is expected here")
        name = at.expression(depth)
        return name.value if isinstance(name, Literal) and isinstance(name.value, str) else self._no_name()

    def _no_name(self) -> NoReturn:
        self._reader.fail("a name is expected here")

    def _body(self, kind: str, labels: tuple[str, ...], start: int, depth: int) -> Block:
        at = self._reader
        if depth > DEEPEST:
            at.fail("it is nested too deeply")
        blocks: list[Block] = []
        attributes: dict[str, Expression] = {}
        while not at.closed("}"):
            self._entry(blocks, attributes, depth)
        return Block(kind, labels, attributes, tuple(blocks), self._line(start), self._path)

    def _after(self, start: int) -> int:
        """Where the next block begins that stands at the left edge, as people write them."""
        found = _TOP.search(self._text, start + 1)
        return found.start() if found else len(self._text)

    def _header(self, start: int, end: int, reason: str) -> Block | None:
        """The block as far as its header says it; its whole text stands for what is in it."""
        if not (found := _HEADER.match(self._text, start)) or not found[0].endswith("{"):
            return None
        kind, *labels = (one[1] if one[1] is not None else one[2] for one in _LABEL.finditer(found[0]))
        # The text may hold a secret, and it is only ever compared.
        digest = hashlib.sha256(self._text[start:end].strip().encode("utf-8", "replace")).hexdigest()
        attributes = {"unread": Opaque(f"(unread text {digest[:12]})")}
        return Block(kind, tuple(labels), attributes, (), self._line(start), self._path, reason)

    def _line(self, place: int) -> int:
        return max(1, min(bisect_right(self._lines, place), len(self._lines) - 1))
