"""What callers of a Python library lose between two trees."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tidegate.facts import Severity
from tidegate.verify.contracts.python.model import Alias, Class, Function, Member, Module, Value
from tidegate.verify.contracts.python.signature import losses
from tidegate.verify.contracts.python.world import Meaning, World, is_public
from tidegate.verify.contracts.values import BROKEN, NARROWED


class Lost(Struct, frozen=True):
    """One thing that callers lose. `line` is at the base, in `module`; `home` is what is lost, wherever it is seen."""

    module: str
    name: str
    what: str
    line: int
    rule: str = BROKEN
    severity: Severity = "high"
    deprecated: bool = False
    home: tuple[str, str] = ("", "")


class Sides(Struct, frozen=True):
    """Both trees, seen from one import root."""

    before: World
    after: World
    root: str


def lost_of(sides: Sides, old: Module) -> Iterator[Lost]:
    """What callers lose of one module of the base. Names that nobody outside can reach are left out."""
    public = is_public(old.name)
    if not sides.after.path_of(sides.root, old.name):
        if public:
            yield from _gone(sides, old)
        return
    listed = set(sides.before.listed(sides.root, old)) if public else set()
    for name, member in old.members.items():
        if name in listed:
            yield from _compared(sides, old.name, name, member)
        elif not name.startswith("_") and not isinstance(member, Alias):
            yield from _hidden(sides, old.name, name, member)
    for name in sorted(listed - old.members.keys()):
        yield from _starred(sides, old.name, name)


# Private


def _gone(sides: Sides, old: Module) -> Iterator[Lost]:
    names = [name for name in sides.before.listed(sides.root, old) if not name.startswith("__")]
    if names and not old.name.endswith("__main__"):
        home = (old.name, "")
        yield Lost(old.name, old.name, "the module is gone", 0, home=home, severity=_still(sides, old, names))


def _still(sides: Sides, old: Module, names: list[str]) -> Severity:
    """Medium where the package itself gives all that a module gave."""
    package = old.name.partition(".")[0]
    kept = all(isinstance(sides.after.look_up(sides.root, package, name), Meaning) for name in names)
    return "medium" if kept and package != old.name else "high"


def _hidden(sides: Sides, module: str, name: str, member: Member) -> Iterator[Lost]:
    """The losses of something in a private place, told by the public name that it has elsewhere."""
    found = list(_compared(sides, module, name, member))
    if not found:
        return
    for public in sides.before.uses(sides.root, module, name)[:1]:
        for one in found:
            if one.what == _REMOVED and one.name == f"{module}.{name}":
                continue  # the module that gives it to others says whether it is lost
            shown = public + one.name.removeprefix(f"{module}.{name}")
            yield Lost(one.module, shown, one.what, one.line, one.rule, one.severity, one.deprecated, one.home)


def _starred(sides: Sides, module: str, name: str) -> Iterator[Lost]:
    """A name that a module takes from another by `*` or on demand, and that it no longer gives."""
    old = sides.before.look_up(sides.root, module, name)
    if isinstance(old, Meaning) and sides.after.look_up(sides.root, module, name) is None:
        yield _removed(sides, module, name, old)


_REMOVED = "is gone"


def _compared(sides: Sides, module: str, name: str, member: Member) -> Iterator[Lost]:
    new = sides.after.look_up(sides.root, module, name)
    old = sides.before.look_up(sides.root, module, name)
    if new is None:
        yield _removed(sides, module, name, old if isinstance(old, Meaning) else Meaning(member, module))
    elif isinstance(new, Meaning) and isinstance(old, Meaning):
        if isinstance(member, Alias) and (old.module, old.member.name) == (new.module, new.member.name):
            return  # the module that defines it is compared by itself
        yield from _pair(sides, (module, f"{module}.{name}"), old, new)


def _removed(sides: Sides, module: str, name: str, old: Meaning) -> Lost:
    package = module.partition(".")[0]
    member = old.member
    severity: Severity = "medium" if isinstance(member, Value) else "high"
    if module != package and isinstance(sides.after.look_up(sides.root, package, name), Meaning):
        severity = "medium"
    line = member.line if old.module == module else 0
    deprecated = isinstance(member, Function | Class) and member.deprecated
    home = (old.module, member.name)
    return Lost(module, f"{module}.{name}", _REMOVED, line, BROKEN, severity, deprecated, home)


def _pair(sides: Sides, at: tuple[str, str], old: Meaning, new: Meaning) -> Iterator[Lost]:
    match old.member, new.member:
        case Function() as before, Function() as after:
            yield from _functions(at, before, after, (old.module, before.name))
        case Class() as before, Class():
            yield from _classes(sides, at, old, new)
        case Class() as before, Function():
            what = "was a class and is a function now"
            yield Lost(*at, what, before.line, NARROWED, "medium", before.deprecated, (old.module, before.name))


def _functions(at: tuple[str, str], old: Function, new: Function, home: tuple[str, str]) -> Iterator[Lost]:
    if old.is_property != new.is_property:
        change = ("an attribute", "a method") if old.is_property else ("a method", "an attribute")
        what = f"was {change[0]} and is {change[1]} now"
        yield Lost(*at, what, old.line, BROKEN, "high", old.deprecated, home)
        return
    for loss in losses(old, new):
        told = old.deprecated or loss.parameter in old.warned
        yield Lost(*at, loss.what, old.line, NARROWED, "medium", told, (*home[:1], f"{home[1]} {loss.what}"))


_PROTOCOL = frozenset(
    "__enter__ __exit__ __aenter__ __aexit__ __iter__ __aiter__ __next__ __anext__ __len__ __getitem__ __contains__ "
    "__call__ __await__ __eq__ __lt__ __hash__ __bool__ __int__ __float__ __add__".split()
)


def _classes(sides: Sides, at: tuple[str, str], old: Meaning, new: Meaning) -> Iterator[Lost]:
    before, after = old.member, new.member
    if not isinstance(before, Class) or not isinstance(after, Class):
        return
    module, shown = at
    for name, member in before.members.items():
        if name == "__init__" or (name.startswith("_") and name not in _PROTOCOL):
            continue
        found = sides.after.member(sides.root, new.module, after, name)
        place, home = (module, f"{shown}.{name}"), (old.module, f"{before.name}.{name}")
        told = before.deprecated or (isinstance(member, Function) and member.deprecated)
        match member, found:
            case _, None:
                severity: Severity = "high" if isinstance(member, Function) else "medium"
                yield Lost(*place, _REMOVED, member.line, BROKEN, severity, told, home)
            case Function(), Function():
                yield from _functions(place, member, found, home)
            case Value(), Function(is_property=False, known=True) if name not in _PROTOCOL:
                what = "was an attribute and is a method now"
                yield Lost(*place, what, member.line, BROKEN, "medium", told, home)
    yield from _making(sides, at, old, new)
    for base in before.bases if len(after.bases) < len(before.bases) else ():
        if base not in after.bases and not _inherits(sides, new.module, after, base):
            what = f"no longer derives from `{base}`"
            yield Lost(*at, what, before.line, NARROWED, "medium", before.deprecated, (old.module, f"{shown} {base}"))


def _making(sides: Sides, at: tuple[str, str], old: Meaning, new: Meaning) -> Iterator[Lost]:
    """What a call of the class loses."""
    before, after = old.member, new.member
    if not isinstance(before, Class) or not isinstance(after, Class):
        return
    made, now = (
        world.member(sides.root, meaning.module, meaning.member, "__init__")
        for world, meaning in ((sides.before, old), (sides.after, new))
        if isinstance(meaning.member, Class)
    )
    if isinstance(made, Function) and isinstance(now, Function):
        told = before.deprecated
        for loss in losses(made, now):
            yield Lost(
                at[0],
                at[1],
                loss.what,
                before.line if not made.line or "__init__" not in before.members else made.line,
                NARROWED,
                "medium",
                told or loss.parameter in made.warned,
                (old.module, f"{before.name} {loss.what}"),
            )


def _inherits(sides: Sides, module: str, of: Class, base: str, depth: int = 0) -> bool:
    """Whether a class still has a base by way of another, or may have."""
    if base in ("object", "Generic", "Protocol") or base.partition("[")[0] in {
        one.partition("[")[0] for one in of.bases
    }:
        return True
    if depth > 10:
        return True
    for one in of.bases:
        meaning = sides.after.look_up(sides.root, module, one.partition("[")[0])
        if isinstance(meaning, Meaning) and isinstance(meaning.member, Class):
            if _inherits(sides, meaning.module, meaning.member, base, depth + 1):
                return True
        elif meaning is not None:
            return True
    return False
