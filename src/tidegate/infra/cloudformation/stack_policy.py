"""Stack policies: what an update of a stack may not touch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.change.trees import Pair
from tidegate.facts import Place, Unjudged
from tidegate.infra.cloudformation.document import UnreadableError, read_document
from tidegate.infra.same import canonical, items
from tidegate.infra.values import Draft


def read_stack_policy(old: bytes | None, new: bytes | None, pair: Pair) -> tuple[Draft | Unjudged, ...] | None:
    """What a changed stack policy no longer forbids, None where neither side is one."""
    before, after = _statements(old), _statements(new)
    if before is None and after is None:
        return None
    kept = {canonical(one) for one in after or () if one.get("Effect") == "Deny"}
    lost = [one for one in before or () if one.get("Effect") == "Deny" and canonical(one) not in kept]
    if not lost:
        return ()
    what = ", ".join(str(one) for statement in lost for one in items(statement.get("Resource")))
    reason = (
        f"The stack policy no longer forbids updates of {what or 'what it named'}: an update may replace or delete "
        "them without anybody lifting the policy first."
    )
    back = "Put the Deny statement back."
    draft = Draft("GUARD_REMOVED", "medium", pair.path, reason, reversible=True, back=back, place=Place(pair.path))
    return (draft,)


# Private


def _statements(data: bytes | None) -> list[Mapping[str, Any]] | None:
    if data is None or b"Update:" not in data or b"Statement" not in data:
        return None
    try:
        value = read_document(data).value
    except UnreadableError:
        return None
    found = value.get("Statement") if isinstance(value, Mapping) else None
    statements = [one for one in items(found) if isinstance(one, Mapping)]
    asks = [str(action) for one in statements for action in items(one.get("Action"))]
    return statements if any(action.startswith("Update:") for action in asks) else None
