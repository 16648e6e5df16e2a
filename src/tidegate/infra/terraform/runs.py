"""What a plan runs beside what it changes: provisioners, actions, programs behind data sources."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.facts import Severity, Unjudged
from tidegate.infra.terraform.configured import KEY
from tidegate.infra.terraform.document import ConfigModule, Plan
from tidegate.infra.terraform.redact import Redactor
from tidegate.infra.values import Draft

_UNDO = "what a command has done stays done"


def commands(plan: Plan, redactor: Redactor) -> Iterator[Draft]:
    """Commands that run when this plan is applied, with the rights of whoever applies it."""
    blocks = dict(_provisioned(plan.configuration.root_module if plan.configuration is not None else None))
    for entry in plan.resource_changes or ():
        address, actions = redactor.text(entry.full_address), entry.change.actions
        kinds = blocks.get(KEY.sub("", entry.address), ())
        if kinds and "create" in actions:
            severity: Severity = "low" if "delete" in actions else "medium"
            reason = (
                f"{address} has a provisioner {' and '.join(kinds)}: a command runs when it is created, with the rights"
                " of whoever applies, and no plan shows what it does."
            )
            yield Draft("SUPPLY_CHAIN", severity, address, reason, True, _UNDO, code_only=True)
        if entry.mode == "data" and entry.type == "external" and actions == ["read"]:
            reason = f"{address} runs a program of its own when this is applied, with the rights of whoever applies."
            yield Draft("SUPPLY_CHAIN", "medium", address, reason, True, _UNDO, code_only=True)


def actions(plan: Plan, redactor: Redactor) -> Iterator[Unjudged]:
    """Actions of providers (Terraform 1.14 and later) that this plan invokes."""
    for one in (*(plan.action_invocations or ()), *(plan.deferred_action_invocations or ())):
        inner = one.get("action_invocation")
        called = inner if isinstance(inner, dict) else one
        address = redactor.text(str(called.get("address") or "an action"))
        words = f"The plan invokes {address}; an action changes things, and no plan shows which."
        yield Unjudged(address, words, "read what the action does")


# Private


def _provisioned(root: ConfigModule | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The blocks that run commands, by their addresses, and how."""
    waiting = [("", root)] if root is not None else []
    while waiting:
        path, module = waiting.pop()
        for name, call in (module.module_calls or {}).items():
            if call.module is not None:
                waiting.append((f"{path}module.{name}.", call.module))
        for one in module.resources or ():
            found = [kind.get("type") for kind in one.provisioners or () if isinstance(kind, dict)]
            kinds = tuple(sorted({str(kind) for kind in found if kind and kind != "file"}))
            if kinds:
                yield one.address if one.address.startswith(path) else path + one.address, kinds
