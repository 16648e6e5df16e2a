"""The family of Kubernetes files: which paths may be some, and what the changed ones come to."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence

from tidegate.facts import Place, Unjudged
from tidegate.infra.kubernetes.documents import Parser
from tidegate.infra.kubernetes.kustomize import NAMES
from tidegate.infra.kubernetes.objects import Item, Secrets
from tidegate.infra.kubernetes.sides import ENDINGS, Side, looks_like_objects
from tidegate.infra.kubernetes.stacks import Stack, worlds_of
from tidegate.infra.same import same
from tidegate.infra.trees import Pair, Trees
from tidegate.infra.values import Found

MOST_ROOTS = 40
_LEFT_OUT = (
    "/testdata/",
    "/test-fixtures/",
    "/fixtures/",
    "/__snapshots__/",
    "/node_modules/",
    "/.github/",
    "/golden/",
)


def claims(path: str) -> bool:
    """Whether a file may hold objects, a kustomization or a part of a chart."""
    if any(part in f"/{path}" for part in _LEFT_OUT):
        return False
    return path.endswith(ENDINGS) or posixpath.basename(path) in NAMES


def read(trees: Trees, pairs: Sequence[Pair]) -> Found:
    """What the changed manifests come to: a world for every stack that they belong to."""
    from tidegate.infra.kubernetes.helm import read_charts

    parser, secrets = Parser(), Secrets()
    before, after = Side(trees.before, parser, secrets), Side(trees.after, parser, secrets)
    before.fetch(pair.before for pair in pairs)
    after.fetch(pair.after for pair in pairs)
    charts, rest = read_charts(before, after, pairs)
    mine = [
        pair
        for pair in rest
        if _is_mine(before.content(pair.before), pair) or _is_mine(after.content(pair.after), pair)
    ]
    if not mine:
        return charts
    before.look_around()
    after.look_around()
    unread = tuple(_unread(before, after, mine))
    unreadable = frozenset(one.place.path for one in unread) | frozenset(
        pair.before for pair in mine for one in unread if pair.path == one.place.path
    )
    stacks, more = _rendered(before, after, mine)
    stacks += _plain(before, after, mine)
    return Found(
        worlds=tuple(worlds_of(stacks, unreadable)),
        drafts=charts.drafts,
        unjudged=(*charts.unjudged, *unread, *more),
        files=(*charts.files, *(pair.path for pair in mine)),
    )


# Private


def _is_mine(data: bytes | None, pair: Pair) -> bool:
    if data is None:
        return False
    return posixpath.basename(pair.path) in NAMES or looks_like_objects(data) or (b"op:" in data and b"path:" in data)


def _unread(before: Side, after: Side, pairs: Iterable[Pair]) -> Iterator[Unjudged]:
    for pair in pairs:
        old = before.parsed(pair.before) if pair.before else None
        new = after.parsed(pair.after) if pair.after else None
        problem = new.problem if new and new.problem else old.problem if old and old.problem and new is None else ""
        place = Place(pair.path)
        if problem:
            text = (after.content(pair.after) or before.content(pair.before) or b"") if pair.path else b""
            if b"{{" in text:
                mend = "render it before and after, and compare what comes out"
                yield Unjudged(pair.path, "it is a template, and what it makes is not known here", mend, place)
            else:
                yield Unjudged(pair.path, f"it cannot be read as YAML: {problem}", "mend the file", place)
        elif old and old.problem:
            yield Unjudged(pair.path, f"what stood here before cannot be read: {old.problem}", place=place)
        elif new and (twice := sorted({*new.twice} - {*(old.twice if old else ())})):
            reason = f"the key {twice[0]} stands twice in one mapping, and tools do not agree which one counts"
            yield Unjudged(pair.path, reason, "keep one of them", place)


def _rendered(before: Side, after: Side, pairs: Sequence[Pair]) -> tuple[list[Stack], list[Unjudged]]:
    """The stacks of kustomizations, each rendered on both sides."""
    roots: dict[str, None] = {}
    for side, seeds in ((before, [pair.before for pair in pairs]), (after, [pair.after for pair in pairs])):
        found = side.affected(seeds)
        inside = side.covered(found)
        roots.update(dict.fromkeys(sorted(folder for folder in found if folder not in inside)))
    chosen = sorted(roots)[:MOST_ROOTS]
    more = []
    if len(roots) > len(chosen):
        reason = f"the change reaches {len(roots)} kustomizations, and {len(chosen)} were rendered"
        more.append(Unjudged("kustomize", reason, "split the change", Place(pairs[0].path)))
    before.prefetch(folder for folder in chosen if folder in before.kustomizations)
    after.prefetch(folder for folder in chosen if folder in after.kustomizations)
    stacks = []
    for folder in chosen:
        old, new = before.renderer.render(folder), after.renderer.render(folder)
        partial = frozenset(item.key for item in (*old.partial, *new.partial))
        lasting = folder in before.kustomizations and folder in after.kustomizations
        component = "Component" in (
            after.renderer.kustomization(folder).get("kind"),
            before.renderer.kustomization(folder).get("kind"),
        )
        if not component or lasting:
            stacks.append(
                Stack(folder, True, [*old.items, *old.partial], [*new.items, *new.partial], [], partial, lasting)
            )
        for part in sorted({*old.unread, *new.unread}):
            if lasting and not same(old.unread.get(part), new.unread.get(part)):
                mend = "compare what `kustomize build` prints before and after"
                path = after.kustomizations.get(folder) or before.kustomizations[folder]
                more.append(
                    Unjudged(folder or ".", f"the change touches {part}, which is not rendered here", mend, Place(path))
                )
    return stacks, more


def _plain(before: Side, after: Side, pairs: Sequence[Pair]) -> list[Stack]:
    """The stacks of files that no kustomization reads, one for each folder."""
    old_covered = before.covered(before.affected(pair.before for pair in pairs))
    new_covered = after.covered(after.affected(pair.after for pair in pairs))
    stacks: dict[str, Stack] = {}
    for pair in pairs:
        if posixpath.basename(pair.path) in NAMES:
            continue
        covered = pair.before in old_covered or pair.after in new_covered
        if pair.before and pair.before not in old_covered and not (covered and before.governed(pair.before)):
            _put(stacks, pair.before).before += before.items(pair.before)
        if pair.after and pair.after not in new_covered and not (covered and after.governed(pair.after)):
            _put(stacks, pair.after).after += after.items(pair.after)
    changed = {path for pair in pairs for path in (pair.before, pair.after)}
    found = [stack for stack in stacks.values() if stack.before or stack.after]
    for stack in found:
        stack.beside = _beside(after, stack, changed)
    return found


def _put(stacks: dict[str, Stack], path: str) -> Stack:
    folder = posixpath.dirname(path)
    return stacks.setdefault(folder, Stack(folder, False, [], [], []))


def _beside(side: Side, stack: Stack, changed: set[str]) -> list[Item]:
    return side.beside(stack.name, changed)
