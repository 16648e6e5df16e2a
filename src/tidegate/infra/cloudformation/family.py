"""Templates that changed, each compared with what it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tidegate.change.trees import Pair, Trees
from tidegate.facts import Place, Unjudged
from tidegate.infra.values import Draft, Found, World

if TYPE_CHECKING:
    from tidegate.infra.cloudformation.template import Template

_ENDINGS = (".yaml", ".yml", ".json", ".template", ".cfn", ".cform")
_SURE = re.compile(rb"AWSTemplateFormatVersion|Type[\"']?\s*:\s*[\"']?AWS::\w+::\w+")


def claims(path: str) -> bool:
    """Whether a file may be a template, by its name."""
    return path.lower().endswith(_ENDINGS)


def read(trees: Trees, pairs: tuple[Pair, ...]) -> Found:
    """The worlds of the templates among these files."""
    old = trees.before.read(pair.before for pair in pairs if pair.before)
    new = trees.after.read(pair.after for pair in pairs if pair.after)
    worlds: list[World] = []
    said: list[Draft | Unjudged] = []
    files: list[str] = []
    for pair in pairs:
        found = _read(pair, old.get(pair.before), new.get(pair.after))
        if found is not None:
            files += [path for path in (pair.before, pair.after) if path]
            worlds += found[0]
            said += found[1]
    return Found(
        worlds=tuple(worlds),
        drafts=tuple(one for one in said if isinstance(one, Draft)),
        unjudged=tuple(one for one in said if isinstance(one, Unjudged)),
        files=tuple(sorted(set(files))),
    )


# Private


def _read(pair: Pair, old: bytes | None, new: bytes | None) -> tuple[list[World], list[Draft | Unjudged]] | None:
    from tidegate.infra.cloudformation.stack_policy import read_stack_policy

    before, broken = _template(old, pair.before)
    after, worse = _template(new, pair.after)
    if broken or worse:
        return [], [Unjudged(pair.path, f"the template cannot be read: {worse or broken}", place=Place(pair.path))]
    if before is None and after is None:
        policy = read_stack_policy(old, new, pair)
        return None if policy is None else ([], list(policy))
    if after is None:
        return _gone(before, new) if before is not None else None
    try:
        return _changed(before, after)
    except RecursionError:
        return [], [Unjudged(pair.path, "the template is nested too deeply to be read", place=Place(pair.path))]


def _gone(before: Template, new: bytes | None) -> tuple[list[World], list[Draft | Unjudged]]:
    from tidegate.infra.cloudformation.diff import left_alone

    if new is None:
        return [left_alone(before)], []
    return [], [Unjudged(before.path, "it was a template and is none now", place=Place(before.path))]


def _changed(before: Template | None, after: Template) -> tuple[list[World], list[Draft | Unjudged]]:
    from tidegate.infra.cloudformation.diff import diff_of
    from tidegate.infra.cloudformation.guards import drafts_of
    from tidegate.infra.cloudformation.template import Template

    base = before or Template(after.path, {}, {}, {}, {}, {})
    diff = diff_of(base, after)
    return [diff.world], list(drafts_of(diff, base, after))


def _template(data: bytes | None, path: str) -> tuple[Template | None, str]:
    from tidegate.infra.cloudformation.document import UnreadableError
    from tidegate.infra.cloudformation.template import read_template

    if data is None:
        return None, ""
    try:
        return read_template(data, path), ""
    except UnreadableError as error:
        return None, str(error) if _SURE.search(data) else ""
