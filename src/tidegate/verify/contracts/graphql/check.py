"""The GraphQL schemas that a change touches: what clients lose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from tidegate.facts import Place, Severity
from tidegate.verify.contracts.graphql.model import Argument, Field, File, Type, TypeRef, joined, read_sdl, shown_type
from tidegate.verify.contracts.values import (
    BROKEN,
    NARROWED,
    Both,
    Break,
    Compared,
    Unreadable,
    both_sides,
    for_others,
    shown,
)
from tidegate.verify.values import Subject

ENDINGS = (".graphql", ".graphqls", ".gql")


class Loss(Struct, frozen=True):
    """One loss, with its line in the file of the type that is still there; 0 for the type's own line."""

    what: str
    line: int = 0
    rule: str = BROKEN
    severity: Severity = "high"


def compare_graphql(subject: Subject) -> Compared:
    """What clients of the repository's GraphQL schemas lose. Files of queries are no contract."""
    unread: dict[str, str] = {}
    sides: list[tuple[File, File]] = []
    for both in both_sides(subject, lambda path: path.lower().endswith(ENDINGS) and for_others(path), added=True):
        try:
            sides.append(_read(both))
        except Unreadable as error:
            unread[shown(both.pair.path)] = str(error)
    breaks = [one for group in _schemas(sides) for one in _compared(group)]
    return Compared(tuple(breaks), unread)


# Private

_KEEP = "Keep the old beside the new, mark it `@deprecated`, and take it away when nobody asks for it any more."
_ALLOW = "Accept and give what was promised before: a default for what is new, or a new field beside the old."


def _read(both: Both) -> tuple[File, File]:
    if (both.pair.before and both.before is None) or (both.pair.after and both.after is None):
        raise Unreadable("it is too large")
    path = shown(both.pair.after or both.pair.before)
    return read_sdl(path, both.before or b""), read_sdl(path, both.after or b"")


def _schemas(sides: Sequence[tuple[File, File]]) -> list[list[tuple[File, File]]]:
    """The changed files by schema: two that define the same type on one side are of two schemas."""
    groups: list[list[tuple[File, File]]] = []
    for before, after in sides:
        if not (before.types or after.types):
            continue
        home = next((group for group in groups if not any(_clash(one, (before, after)) for one in group)), None)
        if home is None:
            groups.append([(before, after)])
        else:
            home.append((before, after))
    return groups


def _clash(one: tuple[File, File], other: tuple[File, File]) -> bool:
    return any(left.own & right.own for left, right in zip(one, other, strict=True))


def _compared(group: Sequence[tuple[File, File]]) -> Iterator[Break]:
    old, new = (joined(side) for side in zip(*group, strict=True))
    for name, before in old.items():
        after = new.get(name)
        contract = f"the GraphQL schema of {before.path}"
        if after is None:
            yield Break(contract, f"the {before.kind} `{name}` is gone", Place(before.path), BROKEN, "high", _KEEP)
            continue
        for loss in _losses(name, before, after):
            place = Place(after.path, loss.line or after.line)
            mend = _KEEP if loss.rule == BROKEN else _ALLOW
            yield Break(contract, loss.what, place, loss.rule, loss.severity, mend)


def _losses(name: str, old: Type, new: Type) -> Iterator[Loss]:
    if old.kind != new.kind:
        yield Loss(f"`{name}` was of the kind {old.kind} and is {new.kind} now")
        return
    for key, one in old.fields.items():
        yield from _field(f"{name}.{key}", one, new.fields.get(key))
    yield from _inputs(name, old, new)
    for member in sorted(old.members.keys() - new.members.keys()):
        yield Loss(f"the union `{name}` may no longer be `{member}`", severity="medium")
    for value, deprecated in old.values.items():
        if value not in new.values:
            yield Loss(
                f"the enum `{name}` no longer has `{value}`{_announced(deprecated)}", severity=_grave(deprecated)
            )
    for interface in sorted(old.interfaces.keys() - new.interfaces.keys()):
        yield Loss(f"`{name}` no longer implements `{interface}`", severity="medium")


def _field(name: str, old: Field, new: Field | None) -> Iterator[Loss]:
    if new is None:
        yield Loss(f"the field `{name}` is gone{_announced(old.deprecated)}", severity=_grave(old.deprecated))
        return
    if not gives_still(old.type, new.type):
        yield _retyped(f"the field `{name}`", (old.type, new.type), new.line)
    for key, one in old.arguments.items():
        after = new.arguments.get(key)
        what = f"the argument `{key}` of `{name}`"
        if after is None:
            severity: Severity = "low" if one.deprecated or old.deprecated else "medium"
            yield Loss(f"{what} is gone{_announced(one.deprecated)}", new.line, BROKEN, severity)
        elif not takes_still(one.type, after.type):
            yield _retyped(what, (one.type, after.type), after.line)
    for key, one in new.arguments.items():
        if key not in old.arguments and one.required:
            yield Loss(f"`{name}` now asks for the argument `{key}`", one.line, NARROWED, "medium")


def _inputs(name: str, old: Type, new: Type) -> Iterator[Loss]:
    for key, one in old.inputs.items():
        after: Argument | None = new.inputs.get(key)
        what = f"the input field `{name}.{key}`"
        if after is None:
            yield Loss(f"{what} is gone{_announced(one.deprecated)}", severity=_grave(one.deprecated))
        elif not takes_still(one.type, after.type):
            yield _retyped(what, (one.type, after.type), after.line)
    for key, one in new.inputs.items():
        if key not in old.inputs and one.required:
            yield Loss(f"the input `{name}` now asks for `{key}`", one.line, NARROWED, "medium")


def gives_still(old: TypeRef, new: TypeRef) -> bool:
    """Whether what is given now is always what was promised: less may be null."""
    if not isinstance(new, str) and new[0] == "!":
        return gives_still(old[1] if not isinstance(old, str) and old[0] == "!" else old, new[1])
    return _alike(old, new, gives_still)


def takes_still(old: TypeRef, new: TypeRef) -> bool:
    """Whether what could be sent before can be sent now: what had to be there may be left out."""
    if not isinstance(old, str) and old[0] == "!":
        return takes_still(old[1], new[1] if not isinstance(new, str) and new[0] == "!" else new)
    return _alike(old, new, takes_still)


def _alike(old: TypeRef, new: TypeRef, inside: Callable[[TypeRef, TypeRef], bool]) -> bool:
    if isinstance(old, str) or isinstance(new, str):
        return old == new
    return old[0] == new[0] == "[" and inside(old[1], new[1])


def _retyped(what: str, types: tuple[TypeRef, TypeRef], line: int) -> Loss:
    """The same named type with other brackets or marks is narrowed; another type is broken."""
    was, now = (shown_type(one) for one in types)
    same = was.replace("!", "") == now.replace("!", "")
    rule, severity = (NARROWED, "medium") if same else (BROKEN, "high")
    return Loss(f"{what} was `{was}` and is `{now}` now", line, rule, severity)  # type: ignore[arg-type]


def _announced(deprecated: bool) -> str:
    return ", as was announced" if deprecated else ""


def _grave(deprecated: bool) -> Severity:
    return "low" if deprecated else "high"
