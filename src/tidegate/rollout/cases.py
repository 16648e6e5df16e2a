"""What is known of the changes of a deployment: documents of checks that were kept, and assessments made now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tidegate.errors import InputError
from tidegate.facts import to_document
from tidegate.policy.rules import Policy
from tidegate.rollout.gate import ChangeCase, Changes, ask_rules
from tidegate.rollout.joined import Joined, Landed

LARGEST_BYTES = 64 << 20
MOST_FILES = 2_000

Outcome = Literal["pass", "hold", "block"]


class _Rule(Struct, frozen=True):
    id: str = ""


class _Verdict(Struct, frozen=True):
    outcome: Outcome
    stage: str = "merge"
    policy_digest: str = ""


class Kept(Struct, frozen=True):
    """A document of a check (`tidegate check --format json`): the facts of a change, and what was said of them."""

    facts: Mapping[str, Any]
    outcome: Outcome | Literal[""] = ""
    policy_digest: str = ""


def read_kept(content: bytes, origin: str) -> Kept:
    """The document in a text. Raises InputError for anything else."""
    try:
        raw = msgspec.json.decode(content, type=dict[str, Any], strict=True)
        facts = msgspec.convert(raw.get("facts"), dict[str, Any])
        verdict = msgspec.convert(raw.get("verdict"), _Verdict)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            "this is no document of a check", where=origin, mend="write it with: tidegate check --format json"
        ) from error
    outcome = verdict.outcome if verdict.stage in ("merge", "deploy") else ""
    return Kept(facts, outcome, verdict.policy_digest)


def read_folder(folder: Path) -> tuple[Kept, ...]:
    """The documents of a folder's `*.json`, in the order of their names. Raises InputError for one that is none."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".json")
        if len(files) > MOST_FILES:
            raise InputError(f"there are more than {MOST_FILES} files", where=str(folder), mend="name a smaller folder")
        found = []
        for path in files:
            with path.open("rb") as file:
                content = file.read(LARGEST_BYTES + 1)
            if len(content) > LARGEST_BYTES:
                raise InputError("it is larger than 64 MiB", where=str(path), mend="take it out of the folder")
            found.append(read_kept(content, str(path)))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(folder), mend="check the folder") from error
    return tuple(found)


class Ways(Struct, frozen=True):
    """How the repository is asked about a change: `assess` collects its facts now (None: it is not done); `is_plain`
    says of a merge that it holds what merging makes, and nothing beside."""

    assess: Callable[[Landed], Kept | None]
    is_plain: Callable[[Landed], bool]


def make_changes(joined: Joined, kept: Iterable[Kept], policy: Policy, ways: Ways) -> Changes:
    """The changes of a deployment with what is known of each: what was kept of it, else what is collected now.

    What is kept is of a change only where it holds every commit that landed, or the very tree on the very base: a
    squash makes a commit of its own. Of several documents on one change the strictest verdict counts.
    """
    by_name: dict[str, list[Kept]] = {}
    for one in kept:
        for name in _names_of(one):
            by_name.setdefault(name, []).append(one)
    comes = ask_rules(policy, [_case(landed, by_name, ways) for landed in joined.comes])
    goes = tuple(_case(landed, by_name, ways) for landed in joined.goes)
    return Changes(direction=joined.direction, comes=comes, goes=goes)


def number_in(title: str) -> int:
    """The number of the pull or merge request that a title says it comes from, 0 where it says none."""
    match = _NUMBER.search(title.strip()) or _GITLAB.search(title)
    return next((int(group) for group in match.groups() if group), 0) if match else 0


def kept_of(facts: Any) -> Kept:
    """What was collected now, in the form in which it is kept."""
    return Kept(to_document(facts))


# Private

_NUMBER = re.compile(r"\(#(?P<squash>[0-9]{1,9})\)$|^Merge pull request #(?P<merge>[0-9]{1,9}) ")
_GITLAB = re.compile(r"^See merge request \S*!(?P<number>[0-9]{1,9})$", re.MULTILINE)


def _change_of(kept: Kept) -> Mapping[str, Any]:
    change = kept.facts.get("change")
    return change if isinstance(change, Mapping) else {}


def _commits_of(kept: Kept) -> frozenset[str]:
    commits = _change_of(kept).get("commits")
    oids = [one.get("oid") for one in commits if isinstance(one, Mapping)] if isinstance(commits, list) else []
    return frozenset(oid for oid in oids if isinstance(oid, str))


def _names_of(kept: Kept) -> frozenset[str]:
    """The object ids by which a document can be found: its commits, and its tree."""
    tree = _change_of(kept).get("head_tree")
    return _commits_of(kept) | ({tree} if isinstance(tree, str) and tree else set())


def _case(landed: Landed, by_name: Mapping[str, Sequence[Kept]], ways: Ways) -> ChangeCase:
    bare = ChangeCase(commit=landed.commit, title=landed.title)
    near = [one for name in (*landed.heads, landed.tree) for one in by_name.get(name, ())]
    found = [one for one in near if _covers(one, landed, ways)]
    if not found:
        made = ways.assess(landed)
        return replace(bare, facts=made.facts) if made is not None else bare
    order = {"": 0, "pass": 1, "hold": 2, "block": 3}
    one = max(found, key=lambda kept: order[kept.outcome])
    return replace(bare, facts=one.facts, recorded=one.outcome, recorded_policy=one.policy_digest)


def _covers(kept: Kept, landed: Landed, ways: Ways) -> bool:
    """Whether the document is of everything that landed."""
    held, change = _commits_of(kept), _change_of(kept)
    if landed.commit in held and held >= set(landed.brings):
        return True
    if len(landed.parents) > 1:
        return bool(landed.brings) and held >= set(landed.brings) and ways.is_plain(landed)
    on_it = bool(landed.parents) and change.get("base") == landed.parents[0]
    return on_it and change.get("head_tree") == landed.tree
