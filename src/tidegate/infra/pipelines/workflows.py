"""Workflows and actions of GitHub: what a change of them permits, loosens, brings in and stops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tidegate.change.trees import Pair, Tree, Trees
from tidegate.facts import Place, Unjudged
from tidegate.infra.pipelines import deeds, guards, tokens
from tidegate.infra.pipelines.github import Job, Workflow, matched, workflow_of
from tidegate.infra.pipelines.shell import fetched_and_run, site_of
from tidegate.infra.pipelines.supply import actions_in
from tidegate.infra.pipelines.texts import Both, Text, read_all, read_both
from tidegate.infra.values import Draft, Found

MOST_FILES = 400


class Past:
    """What the repository's workflows did before the change, whichever file it stood in."""

    def __init__(self, texts: Sequence[Text]) -> None:
        words = [text.words for text in texts]
        self.actions = frozenset(key for one in words for key in actions_in(one))
        self.fetched = frozenset(site_of(part) for one in words for part in fetched_and_run(one))
        self.lines = frozenset(
            " ".join(line.strip().removeprefix("- ").removeprefix("run:").split())
            for one in words
            for line in one.split("\n")
        )


def read(trees: Trees, pairs: Sequence[Pair]) -> Found:
    """What changed workflows and actions come to."""
    both = read_both(trees, pairs)
    changed: list[tuple[Workflow | None, Workflow | None]] = []
    unjudged: list[Unjudged] = []
    for one in both:
        unjudged += _unread(one)
        changed.append((_workflow(one.before), _workflow(one.after)))
    changed = _joined(changed)
    past = Past(_texts(trees.before, tuple(pair.before for pair in pairs)))
    drafts: list[Draft] = []
    for before, after in changed:
        drafts += _compared(before, after, past)
    olds = [before for before, _ in changed if before is not None and not before.action]
    if any(guards.checks_gone(olds, [after for _, after in changed if after is not None])):
        left = [flow for text in _texts(trees.after, ()) if (flow := _workflow(text)) is not None]
        drafts += guards.checks_gone(olds, left)
    files = {path for pair in pairs for path in (pair.before, pair.after) if path}
    return Found(drafts=tuple(dict.fromkeys(drafts)), unjudged=tuple(unjudged), files=tuple(sorted(files)))


# Private


def _compared(before: Workflow | None, after: Workflow | None, past: Past) -> Iterator[Draft]:
    if before is not None:
        yield from guards.schedules_gone(before, after)
    if after is None:
        return
    yield from tokens.started_by_others(before, after)
    yield from deeds.actions_changed(before, after, past.actions)
    if before is not None:
        yield from guards.branches_widened(before, after)
    known: Mapping[str, Job] = {new.name: old for old, new in matched(before, after)} if before else {}
    for new in after.jobs.values():
        old = known.get(new.name)
        yield from tokens.injected(before, after, old, new)
        yield from tokens.foreign_runner(before, after, old, new)
        yield from deeds.secrets_given(after, old, new)
        yield from deeds.every_secret(after, old, new)
        yield from deeds.scripts_fetched(before, after, new, past.fetched)
        yield from deeds.tools_fetched(before, after, old, new)
        yield from deeds.commands_added(after, old, new, past.lines)
        if old is None or before is None:
            yield from tokens.token_of_new(after, new)
            continue
        yield from tokens.token_widened(before, after, old, new)
        yield from tokens.foreign_code(before, after, old, new)
        yield from tokens.cloud_role(after, old, new)
        yield from guards.checks_loosened(after, old, new)
        yield from guards.environment_left(after, old, new)
        yield from guards.queue_left(before, after, old, new)
        yield from guards.needs_dropped(before, after, old, new)
        yield from guards.branch_guard_gone(after, old, new)


def _joined(
    changed: Sequence[tuple[Workflow | None, Workflow | None]],
) -> list[tuple[Workflow | None, Workflow | None]]:
    """Files that went and came in one change and hold the same jobs are one that moved."""
    gone = [before for before, after in changed if before is not None and after is None]
    found: list[tuple[Workflow | None, Workflow | None]] = []
    for before, after in changed:
        if before is None and after is not None:
            was = next((one for one in gone if set(one.jobs) == set(after.jobs) and one.action == after.action), None)
            if was is not None:
                gone.remove(was)
                found.append((was, after))
                continue
        if before is not None and after is None:
            continue
        found.append((before, after))
    return [*found, *((one, None) for one in gone)]


def _workflow(text: Text | None) -> Workflow | None:
    return workflow_of(text) if text is not None else None


def _unread(both: Both) -> Iterator[Unjudged]:
    after = both.after
    if after is not None and after.problem:
        reason = f"the workflow cannot be read ({after.problem}): nothing in it runs, and its checks do not either"
        yield Unjudged(f"workflow {after.path}", reason, "mend the file", Place(after.path))


def _texts(tree: Tree, more: Sequence[str]) -> list[Text]:
    """All workflows of one side, and the changed actions beside them."""
    folders = (".github/workflows/", ".gitea/workflows/", ".forgejo/workflows/")
    paths = [path for path in tree.paths() if path.startswith(folders) and path.endswith((".yml", ".yaml"))]
    wanted = [*paths[:MOST_FILES], *(path for path in more if path and path not in paths)]
    return read_all(tree.read(wanted), wanted)
