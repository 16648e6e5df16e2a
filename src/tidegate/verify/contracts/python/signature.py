"""What callers of a function lose when its parameters change.

The rules are those of griffe (`_function_incompatibilities` in its `diff` module), without changed defaults and with
one sentence for a parameter that another one takes the place of.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tidegate.verify.contracts.python.model import Function, Parameter, Passing

_BY_PLACE = ("positional", "either")
_CALLED = ("__init__", "__call__", "__new__")
"""The special methods whose parameters callers name."""


class Loss(Struct, frozen=True):
    """What no longer works. `parameter` is the old one that is concerned, "" if it is none."""

    what: str
    parameter: str = ""


def losses(old: Function, new: Function) -> Iterator[Loss]:
    """What a call that suited the old signature no longer finds in the new one."""
    if not (old.known and new.known):
        return
    before, after = ({one.name: one for one in side.parameters} for side in (old, new))
    renamed = dict(_renamed(old, new))
    by_place = old.name.startswith("__") and old.name not in _CALLED
    swallows = {one.passing for one in new.parameters}
    for name, parameter in before.items():
        if name in renamed:
            if parameter.passing == "either" and not name.startswith("_") and not by_place:
                yield Loss(f"renames its parameter `{name}` to `{renamed[name]}`", name)
        elif name in after:
            yield from _changed(parameter, after[name])
        elif parameter.passing in ("*", "**"):
            if parameter.passing not in swallows:
                yield Loss(f"no longer takes `{parameter.passing}{name}`", name)
        elif not _swallowed(parameter, swallows):
            yield Loss(f"no longer takes the parameter `{name}`", name)
    for name, parameter in after.items():
        if name not in before and name not in renamed.values() and parameter.required:
            yield Loss(f"now asks for the parameter `{name}`")
    yield from _moved(old, new, renamed)
    if new.is_async and not old.is_async and not new.is_property:
        yield Loss("is now a coroutine that has to be awaited")


# Private


def _renamed(old: Function, new: Function) -> Iterator[tuple[str, str]]:
    """Parameters whose place another name takes, neither being on the other side."""
    places = [[one for one in side.parameters if one.passing in _BY_PLACE] for side in (old, new)]
    names = [{one.name for one in side.parameters} for side in (old, new)]
    for before, after in zip(*places, strict=False):
        same_need = before.required == after.required
        if same_need and before.name not in names[1] and after.name not in names[0]:
            yield before.name, after.name


def _swallowed(parameter: Parameter, passing: set[Passing]) -> bool:
    match parameter.passing:
        case "keyword":
            return "**" in passing
        case "positional":
            return "*" in passing
        case _:
            return {"*", "**"} <= passing


def _changed(old: Parameter, new: Parameter) -> Iterator[Loss]:
    if new.required and not old.required and old.passing not in ("*", "**"):
        yield Loss(f"no longer has a default for `{old.name}`", old.name)
    if old.passing == new.passing:
        return
    if old.passing in _BY_PLACE and new.passing == "keyword":
        yield Loss(f"takes `{old.name}` only by its name now", old.name)
    elif old.passing in ("either", "keyword") and new.passing == "positional":
        yield Loss(f"takes `{old.name}` only by its place now", old.name)


def _moved(old: Function, new: Function, renamed: dict[str, str]) -> Iterator[Loss]:
    """The first parameter that a call by place no longer reaches, where nothing else has said so."""
    after = [one.name for one in new.parameters if one.passing in _BY_PLACE]
    known = {one.name for one in new.parameters}
    for index, parameter in enumerate(one for one in old.parameters if one.passing in _BY_PLACE):
        name = renamed.get(parameter.name, parameter.name)
        if name not in known:
            return
        if name in after and after.index(name) != index:
            now = after[index] if index < len(after) else ""
            instead = f": `{now}` has its place" if now else ""
            yield Loss(f"takes `{parameter.name}` at another place{instead}", parameter.name)
            return
