"""Plans of every tool: told apart by what they hold, each read by its own reader."""

from __future__ import annotations

from tidegate.errors import InputError
from tidegate.infra.values import Found


def read_plan(data: bytes, name: str) -> Found:
    """A plan as Terraform or OpenTofu, or a change set as CloudFormation, writes it in JSON. Raises InputError."""
    raise InputError("no reader knows this", where=name, mend="make it with `terraform show -json FILE`")
