"""The answer to one command: what concerns the guard, with the plans that it names read and their approvals counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tidegate.agent.guard.frozen import Frozen, replace
from tidegate.agent.guard.judge import judge_text, judge_words
from tidegate.agent.guard.keyboard import Keyboard
from tidegate.agent.guard.values import Concern, Place, Verdict
from tidegate.errors import InputError


class Asked(Frozen):
    """Where and by whom a command is asked about. `now` is RFC 3339 in UTC."""

    folder: Path
    environment: Mapping[str, str]
    keyboard: Keyboard
    now: str


class Answer(Frozen):
    """What is said: held where there are concerns. `plans` are the digests that were judged, by path."""

    concerns: tuple[Concern, ...]
    notes: tuple[str, ...] = ()
    plans: tuple[tuple[str, str], ...] = ()

    @property
    def held(self) -> bool:
        """Whether it must not run as it is."""
        return bool(self.concerns)


def decide_text(text: str, asked: Asked) -> Answer:
    """The answer to a line for a shell."""
    return _decided(judge_text(text, place_of(asked)), asked)


def decide_words(words: Sequence[str], asked: Asked) -> Answer:
    """The answer to a program with its arguments."""
    return _decided(judge_words(words, place_of(asked)), asked)


def place_of(asked: Asked) -> Place:
    """The workspace is the repository around the folder, else the folder."""
    folder = asked.folder
    workspace = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)
    home = asked.environment.get("HOME", "") or "/nonexistent"
    return Place(workspace=workspace, folder=folder, home=home, environment=asked.environment)


# Private


def _decided(verdict: Verdict, asked: Asked) -> Answer:
    left: list[Concern] = []
    notes: list[str] = []
    plans: list[tuple[str, str]] = []
    for concern in verdict.concerns:
        if not concern.plan:
            left.append(concern)
            continue
        kept, note, bound = _of_plan(concern, asked)
        left += kept
        notes += [note] if note else []
        plans += [bound] if bound[0] else []
    return Answer(tuple(left), tuple(notes), tuple(plans))


def _of_plan(concern: Concern, asked: Asked) -> tuple[list[Concern], str, tuple[str, str]]:
    from tidegate.agent.guard.plans import read_plan
    from tidegate.report.infra_words import headline, people_of, word_of

    path, folder = Path(concern.plan), Path(concern.folder)
    human = asked.keyboard.human
    try:
        read = read_plan(path, folder, concern.command.split()[0], "human" if human else "agent")
    except InputError as error:
        return [replace(concern, what=f"the plan cannot be judged: {error}")], "", ("", "")
    said = f"the plan {path.name} (sha256:{read.digest[:12]}): {headline(read.infra)}"
    bound = (str(path if path.is_absolute() else folder / path), read.digest)
    people = max(1, people_of(read.infra))
    if human and word_of(read.infra) in ("pass", "note") and not read.destroyed:
        return [], said, bound
    needed = 0 if human else people
    try:
        found = _approvers(folder, (read.digest, "" if read.shown else read.json_digest), asked) if needed else ()
    except InputError as error:
        return [replace(concern, what=f"{said}; its approvals cannot be read: {error}")], "", bound
    if not human and len(found) >= needed:
        return [], f"{said}; approved by {', '.join(found)}", bound
    target = read.destroyed[0] if read.destroyed else path.name
    what = said if human else f"{said}; {len(found)} of {needed} people approved this very plan"
    safe = concern.safe if human else f"ask a person to run: tidegate guard approve {concern.plan}"
    return [replace(concern, what=what, safe=safe, target=target)], "", bound


def _approvers(folder: Path, bound: tuple[str, str], asked: Asked) -> tuple[str, ...]:
    from tidegate.agent.guard.approvals import approvers_of, folder_of, kept, keyring_at_base
    from tidegate.change.git import open_repository

    with open_repository(folder) as repository:
        documents = list(kept(folder_of(repository), bound[0]))
        if not documents:
            return ()
        return approvers_of(documents, keyring_at_base(repository, asked.environment), bound, asked.now)
