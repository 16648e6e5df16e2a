"""Worlds from Terraform, OpenTofu and Terragrunt code: there is no plan, so nothing in them is certain."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from tidegate.change.trees import Pair, Trees
from tidegate.facts import Place, Unjudged
from tidegate.infra.environment import named, of_path
from tidegate.infra.terraform.diff import undecided, unsettled, world_of
from tidegate.infra.terraform.family import VARIABLES, is_code, is_given
from tidegate.infra.terraform.folders import Folder, Folders
from tidegate.infra.terraform.stacks import Stack, read_stack
from tidegate.infra.terraform.syntax import Source
from tidegate.infra.terraform.unplanned import unplanned
from tidegate.infra.values import Draft, Found, World


def read(trees: Trees, pairs: tuple[Pair, ...]) -> Found:
    """The worlds of the folders whose code changed, one per folder and file of variables that changed with it."""
    shared: dict[tuple[str, bytes], Source] = {}
    before, after = Folders(trees.before, shared), Folders(trees.after, shared)
    own = tuple(one for pair in pairs if (one := _of_code(pair)).path)
    read_by = {pair: _readers(pair, before, after) for pair in pairs if not _of_code(pair).path}
    worlds: list[World] = []
    drafts: list[Draft] = []
    unjudged: dict[Unjudged, None] = {}
    for task in _tasks(own, read_by.values(), before, after):
        if task.lost:
            unjudged[Unjudged(task.variables.path, _LOST, _MEND, Place(task.variables.path))] = None
            continue
        old, new = _stack(before, task.before, task.variables.before), _stack(after, task.after, task.variables.after)
        name = task.after or task.before or "."
        library = _is_library(task.after or task.before)
        if library and not new.pieces:
            # A module that nobody calls any more is only a text; who called it says what goes.
            continue
        world = world_of(old, new, name, _environment(task, old, new), library)
        worlds.append(world)
        unjudged.update(dict.fromkeys((*undecided(world), *unsettled(old, new))))
        drafts += unplanned(old, new)
        unjudged.update(dict.fromkeys(new.unread))
    unjudged.update(dict.fromkeys(_shadowing(own, after)))
    return Found(
        worlds=tuple(worlds),
        drafts=tuple(drafts),
        unjudged=tuple(unjudged),
        files=tuple(sorted({pair.path for pair in (*own, *(pair for pair, folders in read_by.items() if folders))})),
    )


MOST_ROOTS = 30
"""A module's change is judged in so many of the stacks that call it."""
MOST_TAKERS = 200
"""So many folders are searched for who takes a variable."""

# Private

_LOST = "the code that takes these variables is not found, so what they change cannot be told"
_MEND = "judge the plan (--plan)"


class _Task(Struct, frozen=True):
    """One folder on each side, with the file of variables that it is judged with. `lost`: there is no such folder."""

    before: str
    after: str
    variables: Pair = Pair("", "")
    lost: bool = False


def _shadowing(pairs: Iterable[Pair], after: Folders) -> Iterator[Unjudged]:
    """New files that OpenTofu reads in the place of others, which Terraform goes on to read."""
    for pair in pairs:
        twin = pair.after.replace(".tofu", ".tf")
        if not pair.before and twin != pair.after and after.text(twin) is not None:
            reason = f"OpenTofu reads it in the place of {twin}, and Terraform does not; they are judged together here"
            yield Unjudged(pair.after, reason, _MEND, Place(pair.after))


def _of_code(pair: Pair) -> Pair:
    """The sides of a file on which it is code or sets variables."""
    before, after = (path if is_code(path) or path.endswith(VARIABLES) else "" for path in (pair.before, pair.after))
    return Pair(before, after)


def _readers(pair: Pair, before: Folders, after: Folders) -> tuple[str, ...]:
    """The folders whose code reads a file that is none of code itself."""
    if not before.below("") and not after.below(""):
        return ()
    return after.readers(pair.after or pair.before)


def _tasks(
    pairs: Sequence[Pair], read_by: Iterable[tuple[str, ...]], before: Folders, after: Folders
) -> Iterator[_Task]:
    moved = _moved_folders(pairs, before, after)
    folders: dict[str, None] = dict.fromkeys(folder for found in read_by for folder in found)
    for pair in pairs:
        for path in (pair.before, pair.after):
            if path and (is_code(path) or is_given(path)):
                folders[posixpath.dirname(path)] = None
    tasks = {
        root: _Task(root, moved.get(root, root))
        for folder in sorted(folders)
        if folder not in moved.values()
        for root in ([folder] if folder in moved else _roots(folder, after))
    }
    yield from tasks.values()
    for pair in pairs:
        # A file of variables that is new or gone is an environment's, whose resources nobody can see from here.
        if not is_code(pair.path) and not is_given(pair.path) and pair.before and pair.after:
            old, new = before.variables(pair.before), after.variables(pair.after)
            changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
            takers = _takers(pair.after, changed, after) if changed else ()
            if takers is None:
                yield _Task("", "", pair, lost=True)
            for folder in takers or ():
                yield _Task(folder, folder, pair)


def _roots(folder: str, folders: Folders) -> list[str]:
    """The folders that nothing calls and that come to this one by calls; the folder itself where nothing calls it."""
    roots: list[str] = []
    seen, waiting = {folder}, [folder]
    while waiting and len(roots) < MOST_ROOTS:
        one = waiting.pop()
        callers = () if _is_root(folders.folder(one)) else folders.callers(one)
        if not callers:
            roots.append(one)
        waiting += sorted((caller for caller in callers if caller not in seen), reverse=True)
        seen.update(callers)
    return roots


def _is_root(folder: Folder) -> bool:
    """Whether a folder says itself where its state lies, which no module does."""
    inner = (block for outer in folder.blocks if outer.kind == "terraform" for block in outer.blocks)
    return any(block.kind in ("backend", "cloud") for block in inner)


def _moved_folders(pairs: Iterable[Pair], before: Folders, after: Folders) -> dict[str, str]:
    """Folders that went wholly to another name: the stack is the same one, its state lies where it lay."""
    moved: dict[str, set[str]] = {}
    for pair in pairs:
        if pair.before and pair.after and is_code(pair.path):
            from_, to = posixpath.dirname(pair.before), posixpath.dirname(pair.after)
            if from_ != to and not after.holds_code(from_) and not before.holds_code(to):
                moved.setdefault(from_, set()).add(to)
    return {from_: to.pop() for from_, to in moved.items() if len(to) == 1}


def _takers(path: str, changed: set[str], folders: Folders) -> tuple[str, ...] | None:
    """The folders that take these variables: the nearest above with code, else those below one that declare them.

    None where there are too many to look into, or none with code at all.
    """
    above = posixpath.dirname(path)
    while True:
        if folders.holds_code(above):
            return (above,)
        if below := folders.below(above):
            break
        if not above:
            return None
        above = posixpath.dirname(above)
    if len(below) > MOST_TAKERS:
        return None
    return tuple(
        folder
        for folder in below
        if any(block.kind == "variable" and changed & {*block.labels} for block in folders.folder(folder).blocks)
    )


def _stack(folders: Folders, path: str, variables: str) -> Stack:
    if not variables:
        return read_stack(folders, path)
    return read_stack(folders, path, folders.variables(variables))


def _environment(task: _Task, old: Stack, new: Stack) -> str:
    """What says the environment of a stack beside its resources: its variables' file or values, its folder."""
    if task.variables.path:
        return of_path(task.variables.path)
    folder = task.after or task.before
    if set(folder.split("/")) & {"examples", "example", "fixtures", "testdata"}:
        return "development"
    return named(new.environment) or named(old.environment) or of_path(f"{folder}/main.tf")


def _is_library(folder: str) -> bool:
    return any(part == "module" or part.endswith("modules") for part in folder.split("/"))
