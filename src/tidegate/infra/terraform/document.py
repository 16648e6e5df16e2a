"""A plan's JSON as Terraform and OpenTofu write it, formats 0.1 to 1.x; what no rule needs is not kept.

Source: Terraform's internal/command/jsonplan, jsonstate and jsonconfig. Unknown keys are later minor versions.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

Mask: TypeAlias = Any
"""The shape of a value with `true` where something holds: `[false]` holds nowhere."""


class Change(Struct, frozen=True):
    """What is done to one object."""

    actions: list[str]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    after_unknown: Mask = False
    before_sensitive: Mask = False
    after_sensitive: Mask = False
    replace_paths: list[list[str | int]] | None = None
    importing: dict[str, Any] | None = None


class Entry(Struct, frozen=True):
    """One resource in `resource_changes` or `resource_drift`. Drift of Terraform 1.0 has no address."""

    change: Change
    address: str = ""
    previous_address: str | None = None
    module_address: str | None = None
    mode: str = "managed"
    type: str = ""
    name: str = ""
    index: int | float | str | None = None
    deposed: str | None = None
    action_reason: str | None = None

    @property
    def full_address(self) -> str:
        """The address, put together where it is not written, and told apart from an object that is left over."""
        address = self.address or _address(self)
        return f"{address} (deposed {self.deposed})" if self.deposed else address


class Deferred(Struct, frozen=True):
    """A change that is put off to a later plan."""

    reason: str = ""
    resource_change: Entry | None = None


class StateResource(Struct, frozen=True):
    """One resource in `planned_values` or `prior_state`."""

    address: str = ""
    mode: str = "managed"
    type: str = ""
    index: int | float | str | None = None
    values: dict[str, Any] | None = None
    sensitive_values: Mask = False
    depends_on: list[str] | None = None


class Module(Struct, frozen=True):
    address: str | None = None
    resources: list[StateResource] | None = None
    child_modules: list[Module] | None = None


class Output(Struct, frozen=True):
    value: Any = None
    sensitive: bool = False


class Values(Struct, frozen=True):
    outputs: dict[str, Output] | None = None
    root_module: Module | None = None


class State(Struct, frozen=True):
    values: Values | None = None


class ConfigResource(Struct, frozen=True):
    """One resource block as written. `expressions` nest as blocks do; leaves name constants or references."""

    address: str = ""
    mode: str = "managed"
    type: str = ""
    expressions: dict[str, Any] | None = None
    count_expression: Any = None
    for_each_expression: Any = None
    depends_on: list[str] | None = None
    provisioners: Any = None


class ConfigModule(Struct, frozen=True):
    resources: list[ConfigResource] | None = None
    module_calls: dict[str, ModuleCall] | None = None
    outputs: dict[str, Any] | None = None
    variables: dict[str, Any] | None = None


class ModuleCall(Struct, frozen=True):
    expressions: dict[str, Any] | None = None
    count_expression: Any = None
    for_each_expression: Any = None
    depends_on: list[str] | None = None
    module: ConfigModule | None = None


class Configuration(Struct, frozen=True):
    provider_config: dict[str, Any] | None = None
    root_module: ConfigModule | None = None


class Variable(Struct, frozen=True):
    value: Any = None


class OutputChange(Struct, frozen=True):
    before: Any = None
    after: Any = None
    before_sensitive: Mask = False
    after_sensitive: Mask = False


class Plan(Struct, frozen=True):
    """The whole. None is a part that is not there."""

    format_version: str | float | None = None
    terraform_version: str | None = None
    variables: dict[str, Variable] | None = None
    planned_values: Values | None = None
    resource_drift: list[Entry] | None = None
    resource_changes: list[Entry] | None = None
    deferred_changes: list[Deferred] | None = None
    action_invocations: list[dict[str, Any]] | None = None
    deferred_action_invocations: list[dict[str, Any]] | None = None
    output_changes: dict[str, OutputChange] | None = None
    prior_state: State | None = None
    configuration: Configuration | None = None
    errored: bool | None = None
    complete: bool | None = None
    applyable: bool | None = None


def resources_of(values: Values | None) -> list[StateResource]:
    """Every resource of a state, of all modules, by its whole address."""
    found: list[StateResource] = []
    waiting = [values.root_module] if values is not None and values.root_module is not None else []
    while waiting:
        module = waiting.pop()
        found += (_located(one, module.address or "") for one in module.resources or ())
        waiting += reversed(module.child_modules or ())
    return found


# Private


def _address(entry: Entry) -> str:
    module = f"{entry.module_address}." if entry.module_address else ""
    data = "data." if entry.mode == "data" else ""
    return f"{module}{data}{entry.type}.{entry.name}{_key(entry.index)}"


def _located(one: StateResource, module: str) -> StateResource:
    """A resource by its whole address: Terraform 0.12 writes it without its module and its key."""
    path = "" if not module or one.address.startswith(f"{module}.") else f"{module}."
    key = "" if one.address.endswith("]") else _key(one.index)
    return replace(one, address=f"{path}{one.address}{key}") if path or key else one


def _key(index: float | str | None) -> str:
    return "" if index is None else f'["{index}"]' if isinstance(index, str) else f"[{index}]"
