"""The descriptions of messages on channels (AsyncAPI 2 and 3), by the same rules for schemas as HTTP APIs have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tidegate.facts import Place
from tidegate.verify.contracts.documents import line_of
from tidegate.verify.contracts.openapi.model import Reader
from tidegate.verify.contracts.openapi.schema import At, Loss, Schemas, Way
from tidegate.verify.contracts.values import BROKEN, Break, Compared, Unreadable, both_sides, for_others, shown
from tidegate.verify.values import Subject

_FILES = re.compile(r"\.(ya?ml|json)$")
_ROOT = re.compile(rb"""(?:^|[{,]\s*)["']?asyncapi["']?\s*:\s*["']?[23]\.""", re.MULTILINE)


def compare_asyncapi(subject: Subject) -> Compared:
    """What those who send and get messages lose."""
    breaks: list[Break] = []
    unread: dict[str, str] = {}
    for both in both_sides(subject, lambda path: bool(_FILES.search(path)) and for_others(path)):
        if both.before is None or not _ROOT.search(both.before):
            continue
        try:
            breaks += _compared(subject, both.pair.before, both.pair.after)
        except (Unreadable, RecursionError) as error:
            unread[shown(both.pair.path)] = str(error) or "it is nested too deeply"
    return Compared(tuple(breaks), unread)


# Private

_KEEP = "Keep the old beside the new, or serve the change under a new version of the description."
_WAYS: dict[str, Way] = {"subscribe": "got", "send": "got", "publish": "sent", "receive": "sent"}
Messages = dict[tuple[str, Way], dict[str, dict[str, Any]]]
"""By channel and way as clients see it: messages by name, each with its payload's schema."""


def _compared(subject: Subject, old: str, new: str) -> Iterator[Break]:
    contract = f"the messages of {shown(new or old)}"
    if not new:
        yield Break(contract, "the whole description is gone", Place(shown(old)), BROKEN, "medium", _KEEP)
        return
    before, after = Reader(subject.trees.before, old), Reader(subject.trees.after, new)
    if "asyncapi" not in after.root():
        raise Unreadable("its head is no description of messages")
    text = subject.trees.after.read([new]).get(new, b"").decode("utf-8", "replace")
    for loss in _losses(_messages(before), _messages(after), Schemas(before, after)):
        what = f"`{loss.where}` {loss.what}" if loss.where else loss.what
        yield Break(contract, what, Place(shown(new), line_of(text, loss.keys)), loss.rule, loss.severity, _KEEP)


def _losses(old: Messages, new: Messages, schemas: Schemas) -> Iterator[Loss]:
    channels = {channel for channel, _ in new}
    told = set()
    for (channel, way), messages in old.items():
        after = new.get((channel, way))
        verb = "gives" if way == "got" else "takes"
        if after is None:
            if channel not in channels and channel not in told:
                yield Loss("", f"the channel `{channel}` is gone", BROKEN, "high", ("channels",))
            elif channel in channels:
                yield Loss("", f"`{channel}` no longer {verb} messages", BROKEN, "high", ("channels", channel))
            told.add(channel)
            continue
        for name, payload in messages.items():
            other = after.get(name)
            if other is None and len(messages) == len(after) == 1:
                other = next(iter(after.values()))
            if other is None:
                yield Loss(
                    "", f"`{channel}` no longer {verb} the message `{name}`", BROKEN, "high", ("channels", channel)
                )
            else:
                for loss in schemas.compare(payload, other, way, At(keys=("channels", channel))):
                    at = f"{loss.where}` in `{name}` of `{channel}" if loss.where else f"{name}` of `{channel}"
                    yield Loss(at, loss.what, loss.rule, loss.severity, loss.keys)


def _messages(reader: Reader) -> Messages:
    root = reader.root()
    found: Messages = {}
    channels = _items(root.get("channels"))
    for name, node in channels:
        channel = reader.follow(node)
        address = channel.get("address")
        for key in ("subscribe", "publish"):
            if isinstance(channel.get(key), dict):
                message = channel[key].get("message")
                found[name, _WAYS[key]] = dict(_payloads(reader, message))
        if not any(isinstance(channel.get(key), dict) for key in ("subscribe", "publish")):
            given = {key: _payload(reader, one) for key, one in _items(channel.get("messages"))}
            for way in _used(reader, root, name):
                found[str(address or name), way] = given
    return found


def _used(reader: Reader, root: dict[str, Any], channel: str) -> Iterator[Way]:
    """In which ways operations use a channel (AsyncAPI 3); where none does, clients get what it has."""
    ways: set[Way] = set()
    for _, node in _items(root.get("operations")):
        operation = reader.follow(node)
        target = operation.get("channel")
        reference = target.get("$ref") if isinstance(target, dict) else None
        if isinstance(reference, str) and reference.rpartition("/")[2].replace("~1", "/") == channel:
            ways.add(_WAYS.get(str(operation.get("action")), "got"))
    if "sent" in ways:
        yield "sent"
    if "got" in ways or not ways:
        yield "got"


def _payloads(reader: Reader, message: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    one_of = message.get("oneOf") if isinstance(message, dict) else None
    for node in one_of if isinstance(one_of, list) else [message]:
        reference = node.get("$ref") if isinstance(node, dict) else None
        name = reference.rpartition("/")[2] if isinstance(reference, str) else reader.follow(node).get("name")
        yield str(name or "message"), _payload(reader, node)


def _payload(reader: Reader, node: Any) -> dict[str, Any]:
    payload = reader.follow(node).get("payload")
    return payload if isinstance(payload, dict) else {}


def _items(value: Any) -> list[tuple[str, Any]]:
    return [(str(key), one) for key, one in value.items()] if isinstance(value, dict) else []
