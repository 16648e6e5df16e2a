"""Git's own hooks: what is about to be committed is looked at, and what was committed or rewritten is attributed."""

from __future__ import annotations

import os
import sys

from tidegate.agent.hooks import gitdoor
from tidegate.agent.hooks.attribute import attribute
from tidegate.agent.hooks.environ import agent_of
from tidegate.agent.hooks.place import UNDER_WAY, place_of_git_dir, read_small
from tidegate.agent.hooks.record import end_shell, forget, see_human
from tidegate.agent.hooks.watched import settle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tidegate.agent.hooks.place import Place

CATCH_UP = 8
SQUASHED_LIMIT_BYTES = 1 << 20


def run_hook(hook: str) -> None:
    """One call of a hook by git, in the top folder of the work tree."""
    git_dir = os.environ.get("GIT_DIR") or _ask_git_dir()
    if not git_dir:
        return
    place = place_of_git_dir(git_dir, os.getcwd())
    if hook == "prepare-commit-msg":
        _prepare(place)
    elif hook == "post-commit":
        _committed(place)
    elif hook == "post-rewrite":
        _rewritten(place, sys.stdin.read(SQUASHED_LIMIT_BYTES))


# Private


def _ask_git_dir() -> str:
    """Git sets GIT_DIR only for some hooks; a hook runs in the top folder, so `.git` is there."""
    from tidegate.agent.hooks.place import find_place

    here = find_place(os.getcwd())
    return here.git_dir if here else ""


def _prepare(place: Place) -> None:
    """Before a commit: whose the latest edits are, and what the commit will be made from."""
    agent = agent_of(os.environ)
    if not _is_plain_commit(place):
        forget(place)
    elif agent:
        end_shell(place, agent["tool"], agent["session"])
    else:
        see_human(place)
    squashed = read_small(f"{place.git_dir}/SQUASH_MSG", SQUASHED_LIMIT_BYTES).decode("utf-8", "replace")
    oids = [line[7:].strip() for line in squashed.split("\n") if line.startswith("commit ")]
    sources = [oid for oid in oids if _is_oid(oid)]
    if sources or os.path.exists(_sources_file(place)):
        os.makedirs(place.own, exist_ok=True)
        with open(_sources_file(place), "w", encoding="ascii") as file:
            file.write("\n".join(sources))


def _is_plain_commit(place: Place) -> bool:
    """Whether somebody said `git commit`, to commit what lies there because somebody wrote it.

    Only `git commit` hands its hooks a date of the author that begins with `@`: a revert, a pick or a rebase commits
    what git itself wrote.
    """
    said = os.environ.get("GIT_AUTHOR_DATE", "").startswith("@")
    return said and not any(os.path.exists(f"{place.git_dir}/{name}") for name in UNDER_WAY if name != "MERGE_HEAD")


def _committed(place: Place) -> None:
    picked = read_small(f"{place.git_dir}/CHERRY_PICK_HEAD").decode("ascii", "replace").strip()
    squashed = read_small(_sources_file(place), SQUASHED_LIMIT_BYTES).decode("ascii", "replace").split()
    sources = [oid for oid in (picked, *squashed) if _is_oid(oid)]
    if squashed:
        os.unlink(_sources_file(place))
    head, *missed = _new_commits(place)
    attribute(place, {head: sources, **{oid: [] for oid in missed}}, agent_of(os.environ))
    _seen(place, head)
    forget(place)


def _new_commits(place: Place) -> list[str]:
    """HEAD, and a few commits before it that were made since without these hooks: by an editor that runs none."""
    before = read_small(f"{place.own}/attributed").decode("ascii", "replace").strip()
    if _is_oid(before):
        try:
            listed = gitdoor.ask(place, "rev-list", f"--max-count={CATCH_UP}", "HEAD", f"^{before}")
        except gitdoor.GitFailed:  # it was pruned
            listed = b""
        if listed:
            return listed.decode("ascii", "replace").split()
    return [gitdoor.ask(place, "rev-parse", "--verify", "HEAD").decode("ascii", "replace").strip()]


def _seen(place: Place, head: str) -> None:
    os.makedirs(place.own, exist_ok=True)
    with open(f"{place.own}/attributed", "w", encoding="ascii") as file:
        file.write(head)


def _rewritten(place: Place, pairs: str) -> None:
    """Git names each commit that it rewrote and what it became; several become one by a squash."""
    made: dict[str, list[str]] = {}
    for line in pairs.split("\n"):
        old, _, new = line.partition(" ")
        new = new.split(" ")[0]
        if _is_oid(old) and _is_oid(new):
            made.setdefault(new, []).append(old)
    attribute(place, made)
    if made:
        _seen(place, list(made)[-1])
    settle(place)


def _sources_file(place: Place) -> str:
    return f"{place.own}/sources"


def _is_oid(text: str) -> bool:
    return len(text) in (40, 64) and all(c in "0123456789abcdef" for c in text)
