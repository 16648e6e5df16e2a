"""The marked block in a file: found, told stale or edited by hand, and replaced without touching a byte around it.

    <!-- tidegate:begin guide 1 binds=0123456789ab seen=0123456789ab text=0123456789ab -->
    ...
    <!-- tidegate:end guide -->

`binds` stands for what is enforced (rules, owners, commands), `seen` for what was counted, both without their figures
and places; `text` for the bytes between the marks. A check compares `binds` alone: counts move with every commit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.agent.guide.values import Guidance, Item
from tidegate.errors import InputError

State: TypeAlias = Literal["absent", "current", "moved", "stale", "edited"]
"""Not there; as it would be written; only counts moved; something binding changed; changed by hand since."""

VERSION = 1
LARGEST_BYTES = 4 << 20


class Block(Struct, frozen=True):
    """What belongs between the marks, and the digests that stand in the first."""

    body: str
    binds: str
    seen: str


def block_of(guidance: Guidance, body: str) -> Block:
    """The block of a text that says this guidance."""
    binding = (*guidance.rules, *guidance.owners, *guidance.commands)
    return Block(
        body, _digest(binding, body if not binding else ""), _digest((*guidance.history, *guidance.conventions))
    )


def fixed_block(body: str) -> Block:
    """A block that says the same whatever is guided, such as an import."""
    return Block(body, _digest((), body), _digest(()))


def state_of(content: bytes, block: Block) -> State:
    """How the file's block stands to this one. Raises InputError for marks that do not make one block."""
    found = _find(content)
    if found is None:
        return "absent"
    if found["text"].decode() != _text_digest(found["body"]):
        return "edited"
    if found["version"] != str(VERSION).encode() or found["binds"].decode() != block.binds:
        return "stale"
    return "current" if found["seen"].decode() == block.seen else "moved"


def with_block(content: bytes | None, block: Block, head: str = "") -> bytes:
    """The file with this block in the place of its own, or at its end; what is around it stays byte for byte.

    `head` is what a new file begins with. Line breaks are those of the file.
    """
    if content is None:
        return (head + _written(block)).encode()
    found = _find(content)
    first = (found[0] if found is not None else content).partition(b"\n")
    breaks = b"\r\n" if first[1] and first[0].endswith(b"\r") else b"\n"
    written = _written(block).encode().replace(b"\n", breaks)
    if found is not None:
        return content[: found.start()] + written + content[found.end() :]
    ended = content.endswith(b"\n")
    blank = not content.strip()
    gap = b"" if not content else b"" if blank and ended else breaks if ended or blank else breaks * 2
    return content + gap + written


def outside(text: str) -> str:
    """The text with the lines of the block emptied, so that the others keep their numbers."""
    raw = text.encode("utf-8", "surrogateescape")
    found = _search(raw)
    if found is None:
        return text
    kept = raw[: found.start()] + b"\n" * found[0].count(b"\n") + raw[found.end() :]
    return kept.decode("utf-8", "surrogateescape")


# Private

_BEGIN = (
    rb"<!-- tidegate:begin guide (?P<version>\d{1,3}) binds=(?P<binds>\w{12}) seen=(?P<seen>\w{12})"
    rb" text=(?P<text>\w{12}) -->"
)
_BLOCK = re.compile(
    rb"^" + _BEGIN + rb"\r?\n(?P<body>.*?)^<!-- tidegate:end guide -->(?:\r?\n|\Z)", re.MULTILINE | re.DOTALL
)
_MARK = re.compile(rb"^[ \t]*<!-- tidegate:(?:begin|end)\b", re.MULTILINE)


def _find(content: bytes) -> re.Match[bytes] | None:
    if len(content) > LARGEST_BYTES:
        raise InputError("this file is larger than 4 MiB", mend="name another")
    found = _search(content)
    marks = len(_MARK.findall(content))
    if marks and found is None:
        raise InputError(
            "the marks of the guide's block do not make one block, so nothing is touched",
            where=f"{marks} marks",
            mend="keep one tidegate:begin and one tidegate:end, each on a line of its own, or remove them all",
        )
    return found


def _search(content: bytes) -> re.Match[bytes] | None:
    """The block where there are two marks. Of many beginnings each would be searched for its end."""
    two = len(_MARK.findall(content)) == 2
    return _BLOCK.search(content) if two else None


def _written(block: Block) -> str:
    body = block.body if block.body.endswith("\n") else block.body + "\n"
    digest = _text_digest(body.encode())
    mark = f"<!-- tidegate:begin guide {VERSION} binds={block.binds} seen={block.seen} text={digest} -->"
    return f"{mark}\n{body}<!-- tidegate:end guide -->\n"


def _text_digest(body: bytes) -> str:
    return hashlib.sha256(body.replace(b"\r\n", b"\n")).hexdigest()[:12]


def _digest(items: Iterable[Item], more: str = "") -> str:
    said = "\n".join([*(item.says for item in items), more])
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:12]
