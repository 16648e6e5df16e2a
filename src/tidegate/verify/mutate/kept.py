"""What `tidegate verify mutate` found, kept beside the repository for exactly the trees that it was found for."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import msgspec

from tidegate.change.git_dir import read_small
from tidegate.errors import InputError
from tidegate.verify.mutate.values import Mutation

_LIMIT_BYTES = 64 << 20
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
AGAIN = "run: tidegate verify mutate"


def read_kept(kept: Path | None, base_tree: str, head_tree: str) -> Mutation | str:
    """The last answer for these two trees; else why there is none, in words."""
    place = _place(kept, base_tree, head_tree) if kept is not None else None
    if place is None or not place.exists():
        return f"no faults were put into the changed lines; {AGAIN}"
    try:
        found = msgspec.json.decode(read_small(place, _LIMIT_BYTES) or b"", type=Mutation)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return f"the kept answer cannot be read; {AGAIN}"
    if (found.base_tree, found.head_tree) != (base_tree, head_tree):
        return f"the kept answer is of another change; {AGAIN}"
    return found


def write_kept(kept: Path, mutation: Mutation) -> Path:
    """Keep an answer in the place of an earlier one for these trees. Raises InputError where it cannot be written."""
    place = _place(kept, mutation.base_tree, mutation.head_tree)
    if place is None:
        raise InputError("an answer without trees cannot be kept", mend="name a range of commits")
    passing = place.with_name(f".{secrets.token_hex(8)}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            passing.write_bytes(msgspec.json.encode(mutation))
            passing.replace(place)
        finally:
            passing.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"the answer cannot be kept ({error})", where=str(place.parent), mend="check its permissions and space"
        ) from error
    return place


# Private


def _place(kept: Path, base_tree: str, head_tree: str) -> Path | None:
    if not (_OID.fullmatch(base_tree) and _OID.fullmatch(head_tree)):
        return None
    return kept / "mutation" / f"{base_tree}-{head_tree}.json"
