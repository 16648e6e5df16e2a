"""Where modules and providers come from: another owner, a pin that is gone, a new major version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tidegate.facts import Place, Severity
from tidegate.infra.terraform.modules import bare, version_of
from tidegate.infra.terraform.resolve import called_locally
from tidegate.infra.terraform.stacks import Stack
from tidegate.infra.terraform.syntax import Literal, ObjectOf
from tidegate.infra.values import Draft


def origins(before: Stack, after: Stack) -> Iterator[Draft]:
    """Drafts for the modules that are called on both sides, and for the providers that are required on both."""
    for address, (source, version) in after.sources.items():
        if address in before.sources and before.sources[address] != (source, version):
            for severity, reason in _moved(address, before.sources[address], (source, version)):
                yield Draft(
                    "SUPPLY_CHAIN",
                    severity,
                    address,
                    reason,
                    reversible=True,
                    back="pin the source that was reviewed",
                    place=_place(after, address),
                    certainty="likely",
                    code_only=True,
                )
    old, new = _required(before), _required(after)
    for name, (source, place) in new.items():
        if name in old and _owner(old[name][0]) != _owner(source):
            reason = (
                f"the provider {name} comes from another source ({old[name][0]} -> {source}): its program runs with "
                "the rights of whoever plans and applies."
            )
            yield Draft("SUPPLY_CHAIN", "high", f"provider.{name}", reason, True, place=place, code_only=True)


# Private


def _moved(address: str, old: tuple[str, str], new: tuple[str, str]) -> Iterator[tuple[Severity, str]]:
    was, is_ = _pin(old), _pin(new)
    if not old[0] or not new[0]:
        return
    if called_locally(old[0]) != called_locally(new[0]):
        yield (
            "low",
            f"the source of {address} is another ({old[0]} -> {new[0]}), and only one of them lies here: whether it "
            "still makes the same things only a plan shows.",
        )
    if called_locally(old[0]) or called_locally(new[0]):
        return
    if _owner(bare(old[0])) != _owner(bare(new[0])):
        yield (
            "high",
            f"the source of {address} has another owner ({old[0]} -> {new[0]}): what it makes is decided by somebody "
            "else from now on.",
        )
    elif was and not is_:
        yield (
            "medium",
            f"the source of {address} is no longer pinned (was {was}): any init may bring other code.",
        )
    elif _is_version(was) and is_ and not _is_version(is_) and not _is_commit(is_):
        yield "low", f"the source of {address} follows a branch instead of a version ({was} -> {is_}), which can move."
    elif _major(was) is not None and _major(is_) is not None and _major(was) != _major(is_):
        yield (
            "low",
            f"the module of {address} goes from {was} to {is_}, another major version: it may change what it makes, "
            "which only a plan shows.",
        )


def _pin(source: tuple[str, str]) -> str:
    return version_of(source[0]) or source[1]


def _owner(source: str) -> str:
    parts = source.split("/")
    return parts[0] if len(parts) < 4 or "." not in parts[0] else parts[1]


def _is_version(pin: str) -> bool:
    return bool(re.match(r"[~>=^ v]*\d+(?:\.\d+)+", pin))


def _is_commit(pin: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{7,64}", pin))


def _major(pin: str) -> int | None:
    found = re.match(r"[~>=^ v]*(\d+)\.", pin)
    return int(found[1]) if found else None


def _place(stack: Stack, address: str) -> Place:
    name = address.rpartition("module.")[2]
    for piece in stack.pieces.values():
        if piece.base == address:
            return piece.place
    calls = (call.block for call in stack.calls if call.block.kind == "module" and call.block.labels == (name,))
    block = next(calls, None)
    return Place(block.path, block.line) if block is not None else Place("")


def _required(stack: Stack) -> Mapping[str, tuple[str, Place]]:
    found: dict[str, tuple[str, Place]] = {}
    for call in stack.calls:
        if call.address or call.block.kind != "terraform":
            continue
        for block in call.block.inner("required_providers"):
            for name, expression in block.attributes.items():
                pairs = expression.pairs if isinstance(expression, ObjectOf) else ()
                for key, value in pairs:
                    if key == Literal("source") and isinstance(value, Literal):
                        found[name] = (str(value.value), Place(block.path, block.line))
    return found
