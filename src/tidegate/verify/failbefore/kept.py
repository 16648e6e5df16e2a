"""What `tidegate verify fail-before` found, kept beside the repository for exactly the trees that it was found for."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import msgspec

from tidegate.change.git_dir import read_small
from tidegate.errors import InputError
from tidegate.verify.failbefore.values import Result

_LIMIT_BYTES = 64 << 20
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def read_kept(kept: Path | None, base_tree: str, head_tree: str) -> Result | str:
    """The last result for these two trees; else why there is none, in words."""
    place = _place(kept, base_tree, head_tree) if kept is not None else None
    if place is None or not place.exists():
        return "the changed tests were not run without the change; run: tidegate verify fail-before"
    content = read_small(place, _LIMIT_BYTES)
    try:
        result = msgspec.json.decode(content or b"", type=Result)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "the kept result cannot be read; run again: tidegate verify fail-before"
    if (result.base_tree, result.head_tree, result.schema) != (base_tree, head_tree, "tidegate.fail-before/1"):
        return "the kept result is of another change; run again: tidegate verify fail-before"
    return result


def write_kept(kept: Path, result: Result) -> Path:
    """Keep a result in the place of an earlier one for these trees. Raises InputError where it cannot be written."""
    place = _place(kept, result.base_tree, result.head_tree)
    if place is None:
        raise InputError("a result without trees cannot be kept", mend="name a range of commits")
    passing = place.with_name(f".{secrets.token_hex(8)}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            passing.write_bytes(msgspec.json.encode(result))
            passing.replace(place)
        finally:
            passing.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"the result cannot be kept ({error})", where=str(place.parent), mend="check its permissions and space"
        ) from error
    return place


# Private


def _place(kept: Path, base_tree: str, head_tree: str) -> Path | None:
    if not (_OID.fullmatch(base_tree) and _OID.fullmatch(head_tree)):
        return None
    return kept / "fail-before" / f"{base_tree}-{head_tree}.json"
