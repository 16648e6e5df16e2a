"""The family of Kubernetes files: which paths may be some, and what the changed ones come to."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence

from tidegate.change.trees import Pair, Trees
from tidegate.facts import Place, Unjudged
from tidegate.infra.kubernetes.documents import Parsed, Parser
from tidegate.infra.kubernetes.helm import is_template, lost_kinds, read_charts
from tidegate.infra.kubernetes.kustomize import FAILED, NAMES, Rendered
from tidegate.infra.kubernetes.objects import Secrets, sequence
from tidegate.infra.kubernetes.sides import ENDINGS, Side, looks_like_objects
from tidegate.infra.kubernetes.stacks import Stack, worlds_of
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import same
from tidegate.infra.values import Found, Value

MOST_ROOTS = 200
MOST_OBJECTS = 60_000
"""Objects over all kustomizations of both sides; a change that reaches more is said not to be judged whole."""

_SECRETS = ("Secret", "ExternalSecret", "SealedSecret")
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
    broken = [pair for pair in mine if before.parsed(pair.before).problem or after.parsed(pair.after).problem]
    unreadable = frozenset(path for pair in broken for path in (pair.before, pair.after))
    old, new = before.affected(pair.before for pair in mine), after.affected(pair.after for pair in mine)
    stacks, more = _rendered((before, old), (after, new), mine)
    stacks += _plain(before, after, mine, (before.covered(old), after.covered(new)))
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
        old = before.parsed(pair.before) if pair.before else Parsed()
        new = after.parsed(pair.after) if pair.after else Parsed()
        place = Place(pair.path)
        if new.problem and old.problem and is_template(before.content(pair.before)):
            yield from lost_kinds(pair.path, before.content(pair.before), after.content(pair.after))
        elif new.problem and not pair.before and is_template(after.content(pair.after)):
            continue
        elif new.problem:
            yield Unjudged(pair.path, f"it cannot be read as YAML: {new.problem}", "mend the file", place)
        elif old.problem and pair.after:
            yield Unjudged(pair.path, f"what stood here before cannot be read: {old.problem}", place=place)
        elif twice := sorted({*new.twice} - {*old.twice}):
            reason = f"the key {twice[0]} stands twice in one mapping, and tools do not agree which one counts"
            yield Unjudged(pair.path, reason, "keep one of them", place)


def _rendered(
    old: tuple[Side, set[str]], new: tuple[Side, set[str]], pairs: Sequence[Pair]
) -> tuple[list[Stack], list[Unjudged]]:
    """The stacks of kustomizations, each rendered on both sides. A side comes with the kustomizations that change."""
    before, after = old[0], new[0]
    roots: dict[str, None] = {}
    for side, found in (old, new):
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
    changed = frozenset(pair.path for pair in pairs)
    count = 0
    for folder in chosen:
        if count > MOST_OBJECTS:
            reason = f"the change reaches {len(roots)} kustomizations with more than {MOST_OBJECTS} objects"
            more.append(Unjudged(folder, f"{reason}, and this one was not rendered", "split the change", Place(folder)))
            break
        was, now = before.renderer.render(folder), after.renderer.render(folder)
        count += len(was.items) + len(now.items)
        partial = frozenset(item.key for item in (*was.partial, *now.partial))
        lasting = folder in before.kustomizations and folder in after.kustomizations
        component = "Component" in (
            after.renderer.kustomization(folder).get("kind"),
            before.renderer.kustomization(folder).get("kind"),
        )
        if not component or lasting:
            stacks.append(
                Stack(
                    folder, True, [*was.items, *was.partial], [*now.items, *now.partial], [], partial, lasting, changed
                )
            )
        if lasting:
            more += _not_rendered(folder, was, now, Place(after.kustomizations[folder]))
    return stacks, more


def _not_rendered(folder: str, old: Rendered, new: Rendered, place: Place) -> Iterator[Unjudged]:
    """What changes in the parts of a kustomization that are not rendered here."""
    changed = []
    for part in sorted({*new.unread, *old.unread}):
        before, after = old.unread.get(part), new.unread.get(part)
        if same(before, after) or (part.startswith(FAILED) and part not in new.unread):
            continue
        if not old.unread and before is None:
            continue
        if part == "generators" and _only_grows(before, after):
            continue
        if part == "generators" and any(item.kind in _SECRETS for item in new.items if item not in old.items):
            continue
        changed.append(part)
    if changed:
        mend = "compare what `kustomize build` prints before and after"
        yield Unjudged(folder or ".", f"the change touches {listed(changed)}, which is not rendered here", mend, place)


def _only_grows(before: Value, after: Value) -> bool:
    return all(one in sequence(after) for one in sequence(before))


def _plain(before: Side, after: Side, pairs: Sequence[Pair], covered: tuple[set[str], set[str]]) -> list[Stack]:
    """The stacks of files that no kustomization reads, one for each folder. `covered` are those that one reads."""
    old_covered, new_covered = covered
    stacks: dict[str, Stack] = {}
    for pair in pairs:
        if posixpath.basename(pair.path) in NAMES:
            continue
        either = pair.before in old_covered or pair.after in new_covered
        if pair.before and pair.before not in old_covered and not (either and before.governed(pair.before)):
            _put(stacks, pair.before).before += before.items(pair.before)
        if pair.after and pair.after not in new_covered and not (either and after.governed(pair.after)):
            _put(stacks, pair.after).after += after.items(pair.after)
    changed = {path for pair in pairs for path in (pair.before, pair.after)}
    found = [stack for stack in stacks.values() if stack.before or stack.after]
    for stack in found:
        stack.beside = after.beside(stack.name, changed)
        stack.changed = frozenset(changed)
    return found


def _put(stacks: dict[str, Stack], path: str) -> Stack:
    folder = posixpath.dirname(path)
    return stacks.setdefault(folder, Stack(folder, False, [], [], []))
