"""What the values of a Helm chart permit: accounts of Argo CD outside single sign-on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tidegate.infra.values import Draft, Later, ResourceChange, Value, World


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

_ACCOUNT = re.compile(r"^accounts\.([^.]+)$")
_ACCOUNT_LINE = re.compile(r"""^\s*["']?accounts\.([^.\s"':]+)["']?\s*:\s*["']?([\w, ]+)""", re.MULTILINE)
_DEEPEST = 20


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
