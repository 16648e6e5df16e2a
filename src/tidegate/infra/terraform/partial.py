"""Whether a plan shows all of its stack. One made with -target says so in Terraform's newer versions alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.infra.same import same, show
from tidegate.infra.terraform.configured import KEY
from tidegate.infra.terraform.document import ConfigModule, Plan
from tidegate.infra.terraform.redact import Redactor
from tidegate.infra.values import Hidden, Resource

MOST_NAMED = 3


def left_out(plan: Plan, before: Mapping[str, Resource], redactor: Redactor) -> str:
    """Why a plan is not all of its stack, as part of a sentence; "" where it is, as far as anyone can see.

    A plan lists every resource of the state, changed or not, but for those that -target leaves out. Code of one that
    is left out, and that says something else than the state, will be done by the next full plan. `before` holds the
    managed resources of the state, without their secrets.
    """
    skipped = _skipped(plan, before)
    if not skipped:
        return "it was made with -target, or puts changes off" if plan.complete is False else ""
    total = len(before)
    words = f"it leaves out {len(skipped)} of {total} resources, as -target does ({_listed(sorted(skipped))})"
    waiting = sorted(_waiting(plan, before, skipped, redactor))
    if waiting:
        words += f"; the code wants more than it shows: {', '.join(waiting[:MOST_NAMED])}"
    return words


# Private


def _skipped(plan: Plan, before: Mapping[str, Resource]) -> set[str]:
    if not plan.resource_changes:
        return set()  # a plan that only refreshes lists none
    listed = {address for entry in plan.resource_changes for address in (entry.address, entry.full_address)}
    listed |= {entry.previous_address for entry in plan.resource_changes if entry.previous_address}
    return {address for address in before if address not in listed}


def _waiting(plan: Plan, before: Mapping[str, Resource], skipped: set[str], redactor: Redactor) -> Iterator[str]:
    root = plan.configuration.root_module if plan.configuration is not None else None
    constants = dict(_constants(root))
    for address in sorted(skipped):
        here = before[address]
        for name, constant in constants.get(KEY.sub("", address), {}).items():
            has = here.values.get(name)
            wanted = redactor.clean({name: constant}, {name: isinstance(has, Hidden)}, here.type)[name]
            if name in here.values and not same(has, wanted):
                yield f"{address} {name} {show(has)} -> {show(wanted)}"


def _constants(root: ConfigModule | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The attributes of each block that the code sets to a plain value."""
    waiting = [("", root)] if root is not None else []
    while waiting:
        path, module = waiting.pop()
        for name, call in (module.module_calls or {}).items():
            if call.module is not None:
                waiting.append((f"{path}module.{name}.", call.module))
        for block in module.resources or ():
            found = {
                name: expression["constant_value"]
                for name, expression in (block.expressions or {}).items()
                if isinstance(expression, dict)
                and isinstance(expression.get("constant_value"), (str, int, float, bool))
            }
            if found and block.mode == "managed":
                yield path + block.address, found


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
