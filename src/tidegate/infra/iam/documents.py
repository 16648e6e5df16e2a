"""Policy documents of AWS read into statements, however they are written.

JSON text, a value, a list of statements, the blocks of `aws_iam_policy_document`: names in any case, one value or a
list, order and Sid without meaning. What is known only later stands in a statement as `${words}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

from msgspec import Struct

from tidegate.infra.iam.conditions import Condition, clause, settled
from tidegate.infra.values import Hidden, Later, Value

EVERYBODY = "*"
LARGEST = 512 * 1024
"""No policy of AWS is longer than 20 KB; text beyond this is not read."""
MOST_STATEMENTS = 2000
UNREADABLE = "it is"
"""How the words for text that nobody can read begin; two of them are never taken for the same."""

_EXPRESSION = re.compile(r"\$\{([^{}]+)\}")
_ACCOUNT = re.compile(r"\d{12}")
_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")


class Statement(Struct, frozen=True):
    """One statement. Actions are in lower case; `named` has them as they are written. A policy of a role or a user
    names no principal: there it is `("",)`."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[str, ...] = ("",)
    conditions: tuple[Condition, ...] = ()
    not_actions: bool = False
    not_resources: bool = False
    not_principals: bool = False
    named: tuple[str, ...] = ()


class Document(Struct, frozen=True):
    """What a policy says. `unread` names parts that nobody can read now, in words."""

    statements: tuple[Statement, ...] = ()
    unread: tuple[str, ...] = ()

    def __add__(self, other: Document) -> Document:
        return Document(self.statements + other.statements, self.unread + other.unread)


NOTHING = Document()


class Words(Struct, frozen=True):
    """How what is no text of its own is spelled. `unknown` is the word for a value that has none, so that two of them
    are never taken for the same; `names` has what expressions stand for: `aws_s3_bucket.b.arn`."""

    unknown: str = "known only after apply"
    names: Mapping[str, str] = {}

    def told(self, text: str) -> str:
        """A text with the expressions in it that are known."""
        if "${" not in text or not self.names:
            return text
        return _EXPRESSION.sub(self._told, text)

    def _told(self, found: re.Match[str]) -> str:
        whole = found.group(1)
        if whole in self.names:
            return self.names[whole]
        address, _, attribute = whole.rpartition(".")
        moved = self.names.get(address, "")
        return self.names.get(f"{moved}.{attribute}", f"${{{moved}.{attribute}}}") if moved else found.group(0)


BEFORE, AFTER = Words("known before"), Words()


def read_document(value: Value, unknown: Words = AFTER) -> Document:
    """The statements of a document; none is a document that allows nothing."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, str):
        if len(value) > LARGEST:
            return Document(unread=(f"{UNREADABLE} larger than any policy may be",))
        try:
            value = _parsed(value)
        except (ValueError, RecursionError):
            return Document(unread=(f"{UNREADABLE} no JSON that can be read",))
    if isinstance(value, (Later, Hidden, str)):
        return Document(unread=(_words(value, unknown),))
    found: list[Statement] = []
    unread: list[str] = []
    for one in _statements(value):
        if len(found) >= MOST_STATEMENTS:
            unread.append(f"{UNREADABLE} longer than any policy may be")
            break
        statement = _statement(one, unknown) if isinstance(one, Mapping) else None
        if statement is None:
            unread.append(_words(one, unknown))
        else:
            found.append(statement)
    return Document(tuple(found), tuple(unread))


def principal(kind: str, name: str) -> str:
    """A principal in one spelling: `*`, `123456789012` for an account, an ARN, `Service:lambda.amazonaws.com`."""
    name = name.strip()
    kind = kind.strip().lower()
    if name == "*" and kind in ("aws", "*", ""):
        return EVERYBODY
    if kind in ("aws", "*", ""):
        root = _ROOT.fullmatch(name)
        return root.group(1) if root else name
    spelled = {"service": "Service", "federated": "Federated", "canonicaluser": "CanonicalUser"}.get(kind, kind)
    return f"{spelled}:{name}"


def account_of(name: str) -> str:
    """The account that a principal or an ARN belongs to, "" where it names none."""
    if _ACCOUNT.fullmatch(name):
        return name
    parts = name.split(":")
    return parts[4] if len(parts) > 5 and parts[0] == "arn" and _ACCOUNT.fullmatch(parts[4]) else ""


# Private


def _parsed(text: str) -> Value:
    stripped = text.lstrip("\ufeff \t\r\n")
    if stripped.lower().startswith("%7b"):
        stripped = unquote(stripped)
    found = json.loads(stripped, object_pairs_hook=_once)
    inner = isinstance(found, str) and found.lstrip()[:1] in ("{", "[")
    return json.loads(found, object_pairs_hook=_once) if inner else found


def _once(pairs: list[tuple[str, Value]]) -> Value:
    """An object; readers differ in which of two like keys they believe, so nobody can say what such a one permits."""
    if len({key.lower() for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice in one place")
    return dict(pairs)


def _words(value: Value, unknown: Words) -> str:
    if isinstance(value, Hidden):
        return f"a sensitive value ({value.number})"
    return value.words or unknown.unknown if isinstance(value, Later) else f"{UNREADABLE} no statement that can be read"


def _get(block: Mapping[str, Value], *names: str) -> Value:
    for name, value in block.items():
        if str(name).lower().replace("_", "") in names:
            return value
    return None


def _list(value: Value) -> Iterable[Value]:
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def _statements(value: Value) -> Iterator[Value]:
    for one in _list(value):
        inner = _get(one, "statement", "statements") if isinstance(one, Mapping) else None
        if inner is None:
            if isinstance(one, Mapping) and _get(one, "effect", "action", "actions", "notaction", "notactions") is None:
                continue
            yield one
        else:
            yield from _list(inner)


def _texts(value: Value, unknown: Words) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_text(one, unknown) for one in _list(value)))


def _text(value: Value, unknown: Words) -> str:
    if isinstance(value, str):
        return unknown.told(value)
    if isinstance(value, Later):
        words = value.words or unknown.unknown
        return unknown.told(words if "${" in words else f"${{{words}}}")
    if isinstance(value, Hidden):
        return f"${{sensitive {value.number}}}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _statement(block: Mapping[str, Value], unknown: Words) -> Statement | None:
    effect = _get(block, "effect")
    effect = "allow" if effect is None and _get(block, "actions", "notactions") is not None else effect
    if not isinstance(effect, str) or effect.strip().lower() not in ("allow", "deny"):
        return None
    actions, not_actions = _either(block, ("action", "actions"), ("notaction", "notactions"), unknown)
    resources, not_resources = _either(block, ("resource", "resources"), ("notresource", "notresources"), unknown)
    who, not_who = _get(block, "principal", "principals"), _get(block, "notprincipal", "notprincipals")
    principals = _principals(who or not_who, unknown)
    return Statement(
        allows=effect.strip().lower() == "allow",
        actions=tuple(sorted({_lower(one) for one in actions})),
        resources=tuple(sorted(set(resources))) or ("*",),
        principals=principals or ("",),
        conditions=settled(_conditions(_get(block, "condition", "conditions"), unknown)),
        not_actions=not_actions,
        not_resources=not_resources,
        not_principals=not who and bool(not_who),
        named=tuple(sorted(set(actions))),
    )


def _lower(action: str) -> str:
    return action if "${" in action else action.strip().lower()


def _either(
    block: Mapping[str, Value], yes: tuple[str, ...], no: tuple[str, ...], unknown: Words
) -> tuple[tuple[str, ...], bool]:
    plain = _get(block, *yes)
    if plain is not None and plain != []:
        return _texts(plain, unknown), False
    other = _texts(_get(block, *no), unknown)
    return other, bool(other)


def _principals(value: Value, unknown: Words) -> tuple[str, ...]:
    found: list[str] = []
    for one in _list(value):
        if not isinstance(one, Mapping):
            found.append(principal("", _text(one, unknown)))
        elif "identifiers" in one:
            kind = _text(one.get("type"), unknown)
            found += [principal(kind, name) for name in _texts(one["identifiers"], unknown)]
        else:
            found += [principal(str(kind), name) for kind, names in one.items() for name in _texts(names, unknown)]
    return (EVERYBODY,) if EVERYBODY in found else tuple(sorted(set(found)))


def _conditions(value: Value, unknown: Words) -> Iterator[Condition]:
    for one in _list(value):
        if not isinstance(one, Mapping):
            yield clause("Unread", _text(one, unknown), ())
        elif "test" in one and "variable" in one:
            yield clause(
                _text(one["test"], unknown), _text(one["variable"], unknown), _texts(one.get("values"), unknown)
            )
        else:
            for operator, keys in one.items():
                if not isinstance(keys, Mapping):
                    yield clause(str(operator), _text(keys, unknown), ())
                    continue
                for key, values in keys.items():
                    yield clause(str(operator), str(key), _texts(values, unknown))
