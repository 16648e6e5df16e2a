"""Protobuf messages and services: what breaks bytes on the wire, JSON, or the calls of clients.

The rules are those of buf's categories WIRE and WIRE_JSON (https://buf.build/docs/breaking/rules/), with removed
messages and rpcs, which clients use by name. The parser is our own and reads proto2 and proto3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from tidegate.facts import Place, Severity
from tidegate.verify.contracts.values import BROKEN, NARROWED, Break, Compared, Unreadable, both_sides, shown
from tidegate.verify.values import Subject

MOST_TOKENS = 1_000_000
DEEPEST = 50


class Field(Struct, frozen=True):
    name: str
    number: int
    type: str
    label: str
    json_name: str


class Message(Struct):
    """A message or an enum; fields and values by number."""

    line: int
    kind: str
    fields: dict[int, Field] = field(default_factory=dict)
    reserved: list[range] = field(default_factory=list)


class Rpc(Struct, frozen=True):
    takes: str
    gives: str
    line: int


class File(Struct):
    """One file: messages and enums by their dotted names in the package, rpcs as `Service.Method`."""

    package: str = ""
    messages: dict[str, Message] = field(default_factory=dict)
    rpcs: dict[str, Rpc] = field(default_factory=dict)


def compare_protobuf(subject: Subject) -> Compared:
    """What peers of the repository's messages and services lose."""
    breaks: list[Break] = []
    unread: dict[str, str] = {}
    for both in both_sides(subject, lambda path: path.endswith(".proto")):
        path = shown(both.pair.path)
        try:
            if both.before is None or (both.pair.after and both.after is None):
                raise Unreadable("it is too large")
            old, new = (read_proto(content or b"") for content in (both.before, both.after))
        except Unreadable as error:
            unread[path] = str(error)
            continue
        contract = f"the messages of {path}"
        if not both.pair.after:
            breaks.append(Break(contract, "the whole file is gone", Place(path), BROKEN, "high", _MEND))
            continue
        breaks += [
            Break(contract, what, Place(path, line), rule, severity, _MEND)
            for what, line, rule, severity in _losses(old, new)
        ]
    return Compared(tuple(breaks), unread)


def read_proto(content: bytes) -> File:
    """What a .proto file defines. Raises Unreadable for what is none."""
    tokens = _tokens(content.decode("utf-8", "replace"))
    file = File()
    end = _block(tokens, 0, file, [])
    if end < len(tokens):
        raise Unreadable(f"its braces do not match at line {tokens[end][1]}")
    return file


# Private

_MEND = "Leave the old number, name and type as they are, reserve what goes, and add the new beside it."
_TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[\w.]+|\S", re.DOTALL)
_SAME = (
    {"int32", "uint32", "int64", "uint64"},
    {"sint32", "sint64"},
    {"fixed32", "sfixed32"},
    {"fixed64", "sfixed64"},
)
Token = tuple[str, int]
Told = tuple[str, int, str, Severity]


def _tokens(text: str) -> list[Token]:
    tokens, line, at = [], 1, 0
    for found in _TOKEN.finditer(text):
        line += text.count("\n", at, found.start())
        at = found.start()
        if not found[0].startswith(("//", "/*")):
            tokens.append((found[0], line))
        if len(tokens) > MOST_TOKENS:
            raise Unreadable("it is too large")
    return tokens


def _block(tokens: Sequence[Token], at: int, file: File, names: list[str]) -> int:
    """Reads statements up to the brace that closes the block; gives the place of that brace."""
    if len(names) > DEEPEST:
        raise Unreadable("it is nested too deeply")
    while at < len(tokens) and tokens[at][0] != "}":
        begin = at
        while at < len(tokens) and tokens[at][0] not in (";", "{", "}"):
            at = _past_brackets(tokens, at)
        words = [word for word, _ in tokens[begin:at]]
        if at < len(tokens) and tokens[at][0] == "{":
            at = _opened(tokens, at + 1, file, names, (words, tokens[begin][1])) + 1
        else:
            if words:
                _statement(words, file, names)
            if at < len(tokens) and tokens[at][0] == ";":
                at += 1
    return at


def _past_brackets(tokens: Sequence[Token], at: int) -> int:
    """The next token, options in brackets passed whole."""
    if tokens[at][0] != "[":
        return at + 1
    while at < len(tokens) and tokens[at][0] != "]":
        at += 1
    return at + 1


def _opened(tokens: Sequence[Token], at: int, file: File, names: list[str], head: tuple[list[str], int]) -> int:
    words, line = head
    match words:
        case ["message" | "enum" as kind, name]:
            file.messages[".".join([*names, name])] = Message(line, kind)
            end = _block(tokens, at, file, [*names, name])
        case ["service", name]:
            end = _block(tokens, at, file, [*names, name])
        case ["rpc", *_]:
            _rpc(words, file, names, line)
            end = _block(tokens, at, File(), ["", *names])
        case ["oneof", _]:
            end = _block(tokens, at, file, names)
        case _:
            end = _block(tokens, at, File(), ["", *names])
    if end >= len(tokens):
        raise Unreadable(f"its brace of line {line} is not closed")
    return end


def _statement(words: list[str], file: File, names: list[str]) -> None:
    if words[0] == "package" and len(words) > 1:
        file.package = words[1]
    elif words[0] == "rpc":
        _rpc(words, file, names, 0)
    message = file.messages.get(".".join(names))
    if message is None or ("=" not in words and words[0] != "reserved"):
        return
    if words[0] == "reserved":
        message.reserved += _ranges(" ".join(words[1:]))
        return
    equals = words.index("=")
    number = words[equals + 1] if equals + 1 < len(words) else ""
    sign = -1 if number == "-" else 1
    number = words[equals + 2] if number == "-" and equals + 2 < len(words) else number
    if words[0] in ("option", "extensions") or not re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}|\d{1,10}", number):
        return
    value = sign * int(number, 16 if number[:2].lower() == "0x" else 10)
    label = words[0] if words[0] in ("optional", "required", "repeated") and equals > 2 else ""
    name = words[equals - 1]
    kind = "".join(words[1 if label else 0 : equals - 1])
    options = " ".join(words[equals:])
    json_name = re.search(r"json_name = [\"'](.*?)[\"']", options)
    camel = re.sub(r"_(\w)", lambda found: found[1].upper(), name)
    message.fields.setdefault(value, Field(name, value, kind, label, json_name[1] if json_name else camel))


def _ranges(text: str) -> Iterator[range]:
    for found in re.finditer(r"\b(\d{1,10})(?: to (\d{1,10}|max))?", text):
        last = 2**31 if found[2] == "max" else int(found[2] or found[1])
        yield range(int(found[1]), last + 1)


def _rpc(words: list[str], file: File, names: list[str], line: int) -> None:
    found = re.match(r"rpc (\w+) \( (.*?) \) returns \( (.*?) \)", " ".join(words))
    if found:
        file.rpcs[".".join([*names, found[1]])] = Rpc(found[2], found[3], line)


def _losses(old: File, new: File) -> Iterator[Told]:
    if old.package != new.package:
        yield f"the package `{old.package}` is `{new.package}` now", 1, BROKEN, "high"
    for name, rpc in old.rpcs.items():
        after = new.rpcs.get(name)
        if after is None:
            yield f"the rpc `{name}` is gone", 0, BROKEN, "high"
        elif (rpc.takes, rpc.gives) != (after.takes, after.gives):
            now = f"({after.takes}) returns ({after.gives})"
            yield (
                f"the rpc `{name}` was ({rpc.takes}) returns ({rpc.gives}) and is {now} now",
                after.line,
                BROKEN,
                "high",
            )
    for name, message in old.messages.items():
        other = new.messages.get(name)
        if other is None:
            if name.rpartition(".")[0] in new.messages or "." not in name:
                yield f"the {message.kind} `{name}` is gone", 0, BROKEN, "high"
            continue
        for number, one in message.fields.items():
            yield from _field(name, message, one, (other, other.fields.get(number)))


def _field(name: str, message: Message, old: Field, at: tuple[Message, Field | None]) -> Iterator[Told]:
    other, new = at
    what = f"{'value' if message.kind == 'enum' else 'field'} `{name}.{old.name}`"
    if new is None:
        moved = next((one.number for one in other.fields.values() if one.name == old.name), None)
        if moved is not None:
            yield f"the {what} had the number {old.number} and has {moved} now", other.line, BROKEN, "high"
        elif not any(old.number in one for one in other.reserved):
            yield f"the {what} is gone and its number {old.number} is not reserved", other.line, BROKEN, "high"
        return
    if not _compatible(old.type, new.type) or (old.label == "repeated") != (new.label == "repeated"):
        was, now = (f"{one.label} {one.type}".strip() for one in (old, new))
        yield f"the {what} was {was} and is {now} now", other.line, BROKEN, "high"
    elif "required" in (old.label, new.label) and old.label != new.label:
        yield (
            f"the {what} was {old.label or 'optional'} and is {new.label or 'optional'} now",
            other.line,
            NARROWED,
            "medium",
        )
    if old.name != new.name and message.kind == "enum":
        yield f"the {what} is called `{new.name}` now, which JSON shows", other.line, NARROWED, "medium"
    elif old.json_name != new.json_name:
        yield f"the {what} is `{new.json_name}` in JSON now", other.line, NARROWED, "medium"


def _compatible(old: str, new: str) -> bool:
    """Whether the wire and JSON carry both types alike. A name may be written with its package or without."""
    if old == new or old.rpartition(".")[2] == new.rpartition(".")[2]:
        return True
    return any({old, new} <= same and ("64" in old) == ("64" in new) for same in _SAME)
