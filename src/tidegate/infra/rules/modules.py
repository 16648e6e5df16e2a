"""What a module's caller changes without seeing it: a list that takes the place of the module's own default."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tidegate.infra.same import canonical, items, spelled
from tidegate.infra.values import Draft, Later, ResourceChange, Value, World


def defaults_replaced(world: World) -> Iterator[Draft]:
    """Lists given to a database's module that were not given before: the module's default may have enforced TLS."""
    for change in world.changes:
        called = change.type in _DATABASES and _CALL.search(change.address)
        if not called or change.action != "update" or change.before is None:
            continue
        for name in _PARAMETERS:
            given = (change.after or {}).get(name)
            if name in change.before or given is None or _enforces(given):
                continue
            shown = spelled(change, name)
            if isinstance(given, Later):
                shown = f"{shown} ({given.words})"
            yield Draft(
                "TLS_OFF",
                "high",
                change.address,
                f"{shown} is given to {change.address} for the first time and replaces the module's default list, "
                "which may hold rds.force_ssl=1: then TLS is silently no longer enforced, and clients may connect "
                "in clear. Repeat rds.force_ssl = 1 in the list.",
                reversible=True,
                back="add rds.force_ssl = 1 to the list",
                certainty="possible",
            )


def accounts_opened(world: World) -> Iterator[Draft]:
    """Accounts of Argo CD that may make long-lived keys or log in, in the values of its chart."""
    for change in world.changes:
        if change.type != "helm_release" or change.after is None or change.action == "forget":
            continue
        old, new = _accounts(change.before), _accounts(change.after)
        for name in sorted(new):
            more = sorted(new[name] - old.get(name, frozenset()))
            if more and change.before is not None:
                yield _opened(change, name, more)


# Private

_CALL = re.compile(r"(?:^|\.)module\.[^.]+$")
_DATABASES = ("aws_db_instance", "aws_rds_cluster")
_PARAMETERS = ("db_parameter", "parameter", "parameters", "db_cluster_parameter_group_parameters")
_ENFORCING = ("rds.force_ssl", "require_secure_transport")
_ACCOUNT = re.compile(r"^accounts\.([^.]+)$")
_ACCOUNT_LINE = re.compile(r"""^\s*["']?accounts\.([^.\s"':]+)["']?\s*:\s*["']?([\w, ]+)""", re.MULTILINE)
_DEEPEST = 20


def _enforces(given: Value) -> bool:
    for one in items(given):
        if isinstance(one, Mapping) and str(one.get("name", "")).lower() in _ENFORCING:
            return str(canonical(one.get("value"))) not in ("None", "0", "false", "OFF")
    return False


def _opened(change: ResourceChange, name: str, more: list[str]) -> Draft:
    powers = " and ".join(more)
    what = "a key that does not expire unless somebody says so" if "apiKey" in more else "a password of its own"
    return Draft(
        "IAM_WIDEN",
        "medium",
        change.address,
        f"{change.address}: the Argo CD account {name} gains {powers}, {what}, with whatever its roles permit; "
        "whoever holds it acts outside single sign-on.",
        reversible=True,
        back=f"take accounts.{name} away again and revoke its keys",
    )


def _accounts(values: Value, depth: int = 0) -> dict[str, frozenset[str]]:
    """The accounts in values of a chart, wherever they are nested, with what each may do."""
    found: dict[str, frozenset[str]] = {}
    if depth > _DEEPEST:
        return found
    if isinstance(values, Mapping):
        for key, inner in values.items():
            if (named := _ACCOUNT.match(str(key))) and isinstance(inner, str):
                found[named[1]] = _powers(inner)
            else:
                found.update(_accounts(inner, depth + 1))
    elif isinstance(values, (list, tuple)):
        for one in values:
            found.update(_accounts(one, depth + 1))
    elif isinstance(values, (str, Later)):
        text = values.words if isinstance(values, Later) else values
        found.update((name, _powers(powers)) for name, powers in _ACCOUNT_LINE.findall(text))
    return found


def _powers(written: str) -> frozenset[str]:
    return frozenset(part.strip() for part in written.split(",") if part.strip() in ("apiKey", "login"))
