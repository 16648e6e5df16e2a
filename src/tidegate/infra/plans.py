"""Plans of every tool: told apart by what they hold, each read by its own reader."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping, Set

import msgspec

from tidegate.errors import InputError
from tidegate.infra.values import Found

MEND = "make it with `terraform show -json FILE` or `aws cloudformation describe-change-set`"
_PLAN = frozenset({"resource_changes", "planned_values", "resource_drift"})
_CHANGE_SET = frozenset({"Changes", "ChangeSetName", "ChangeSetId"})
_STATE = frozenset({"lineage", "serial", "terraform_version", "version"})


def read_plan(data: bytes, name: str) -> Found:
    """A plan as Terraform or OpenTofu, or a change set as CloudFormation, writes it in JSON. Raises InputError."""
    text = decoded(data, name)
    try:
        top = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (ValueError, RecursionError) as error:
        raise _not_json(text, name, error) from error
    try:
        _check_keys(text, name)
        return _read(top, text, name)
    except InputError as error:
        raise error if error.where else InputError(error.what, where=name, mend=error.mend) from error
    except ValueError as error:
        raise InputError(f"the plan does not have the form of one: {error}", where=name, mend=MEND) from error
    except RecursionError as error:
        raise InputError("the plan is nested deeper than any real one", where=name, mend=MEND) from error


def decoded(data: bytes, name: str) -> bytes:
    """The plan's text as UTF-8 without a mark: PowerShell writes UTF-16. Raises InputError for what is no text."""
    if data[:2] == b"PK":
        raise InputError("this is a binary plan", where=name, mend="run `terraform show -json PLAN > plan.json`")
    codec = _codec(data)
    try:
        text = data.decode(codec).lstrip("\ufeff").encode() if codec else data
    except UnicodeError as error:
        raise InputError(f"the plan is not text in {codec}", where=name, mend="write it again as UTF-8") from error
    if not text.strip():
        raise InputError("the plan is empty", where=name, mend=MEND)
    return text


# Private


def _codec(data: bytes) -> str:
    """The encoding by its mark, or by where the zero bytes stand; "" for UTF-8, which needs no decoding."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    start = data[:4]
    if start[1:2] == b"\0" and start[:1] != b"\0":
        return "utf-16-le"
    return "utf-16-be" if start[:1] == b"\0" and start[1:2] not in (b"", b"\0") else ""


def _check_keys(text: bytes, name: str) -> None:
    """No tool writes a key twice; where one stands twice, readers differ in which of the two they believe."""

    def check(pairs: list[tuple[str, object]]) -> None:
        if len(pairs) > 1 and len(dict(pairs)) < len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key in names if names.count(key) > 1)
            raise InputError(f"the JSON has the key {twice[:60]} twice in one place", where=name, mend=MEND)

    json.loads(text, object_pairs_hook=check, parse_int=str, parse_float=str)


def _read(top: Mapping[str, msgspec.Raw], text: bytes, name: str) -> Found:
    keys = top.keys()
    if keys & _CHANGE_SET and not keys & _PLAN:
        from tidegate.infra.cloudformation.changeset import read_change_set

        return read_change_set(msgspec.json.decode(text), name)
    if keys & _PLAN or {"format_version", "configuration"} <= keys:
        from tidegate.infra.terraform.plan import read_terraform_plan

        return read_terraform_plan(text, name)
    raise _other(keys, name)


def _other(names: Set[str], name: str) -> InputError:
    if len(names & _STATE) >= 3 or {"format_version", "values"} <= names:
        return InputError("this is a state, not a plan", where=name, mend="run `terraform show -json PLAN`")
    if {"@level", "@message"} <= names:
        return InputError("this is the log of a plan, not the plan", where=name, mend=_AGAIN)
    return InputError("this is neither a Terraform plan nor a change set", where=name, mend=MEND)


_AGAIN = "run `terraform plan -out PLAN`, then `terraform show -json PLAN > plan.json`"


def _not_json(text: bytes, name: str, error: Exception) -> InputError:
    if isinstance(error, RecursionError):
        return InputError("the plan is nested deeper than any real one", where=name, mend=MEND)
    start = text.lstrip()[:400]
    if b'"@level"' in start:
        return InputError("this is the log of a plan, not the plan", where=name, mend=_AGAIN)
    if start[:1] not in (b"{", b"["):
        what = "this is what a person reads of a plan" if b"Terraform" in start or b"OpenTofu" in start else ""
        return InputError(what or "this is not JSON", where=name, mend=_AGAIN)
    if start[:1] == b"[" or "Expected" in str(error):
        return InputError("this is JSON, but not of a plan", where=name, mend=MEND)
    return InputError(f"the JSON cannot be read: {error}", where=name, mend="make it again; it may be cut off")
