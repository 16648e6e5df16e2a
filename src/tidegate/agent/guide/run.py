"""The command's answer: compiled at the base, held against the files of the work tree, written where that was asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from tidegate.agent.guide import targets
from tidegate.agent.guide.block import Block, block_of
from tidegate.agent.guide.compiled import Read, Told, checked_path, guidance_of, read
from tidegate.agent.guide.judge import judge
from tidegate.agent.guide.report import json_answer, text_answer
from tidegate.agent.guide.targets import INSTRUCTIONS, Target, Tool
from tidegate.agent.guide.text import render_markdown
from tidegate.agent.hooks.place import find_place
from tidegate.agent.install.apply import read_memory
from tidegate.agent.install.plan import memory_of
from tidegate.change.branches import read_branches
from tidegate.change.configuration import read_settings
from tidegate.change.git import Repository
from tidegate.errors import InputError

LARGEST_BYTES = 1 << 20
NO_HOOKS = "commits of agents are not attributed in this clone: tidegate agent install git"
MOST_RULES = 40
"""Files of `.cursor/rules/` that are read."""


class Question(Struct, frozen=True):
    """What was asked. `base` is "" for the branch that a change here wants to go to, else HEAD."""

    tool: str = "agents"
    path: str = ""
    base: str = ""
    write: bool = False
    check: bool = False
    force: bool = False
    everything: bool = False


class Answer(Struct, frozen=True):
    """The answer as text and as JSON, remarks for standard error, and the exit code."""

    text: str
    json: bytes
    remarks: tuple[str, ...]
    code: int


def run(repository: Repository, question: Question, environment: Mapping[str, str], told: Told) -> Answer:
    """Compiles, compares, and writes where that was asked. Raises InputError for what cannot be read or written."""
    path = checked_path(question.path)
    base, why = _base(repository, question.base)
    found = read(repository, base, read_settings(repository, base, environment).settings)
    guidance = guidance_of(found, path, told)
    markdown = render_markdown(guidance)
    if path:
        if question.write or question.check:
            raise InputError("one path has no block in a file", where="--path", mend="leave out --write and --check")
        return Answer(markdown, json_answer(guidance, base, why, (), ()), (), 0)
    block = block_of(guidance, markdown)
    planned = _planned(repository, question, block)
    judged = judge(found, _instructions(repository, found))
    written = targets.write(planned) if question.write else ()
    remarks = tuple(_remarks(repository, question, planned, written))
    code = _code(question, planned)
    if question.check:
        text = _checked_text(planned)
    elif question.write:
        text = "\n".join(
            [f"written: {name}" for name in written] or ["nothing was written" if code else "nothing to write"]
        )
    else:
        text = text_answer(markdown, (base, why), planned, judged, everything=question.everything)
    return Answer(text, json_answer(guidance, base, why, planned, judged), remarks, code)


def read_backtest(path: Path) -> dict[str, int]:
    """How often each rule held a change, by `tidegate backtest --format json`; rules that hold everything left out."""
    try:
        content = path.read_bytes()[: 64 << 20]
        document = msgspec.json.decode(content, type=_Backtest)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=f"--backtest {path}") from error
    except msgspec.DecodeError as error:
        mend = "write it with: tidegate policy backtest --format json"
        raise InputError("this is no backtest", where=f"--backtest {path}", mend=mend) from error
    return {one.id: one.figures.held.count for one in document.rules if not one.always}


# Private


class _Share(Struct, frozen=True):
    count: int


class _Figures(Struct, frozen=True):
    held: _Share


class _Rule(Struct, frozen=True):
    id: str
    figures: _Figures
    always: bool = False


class _Backtest(Struct, frozen=True):
    rules: tuple[_Rule, ...]


def _base(repository: Repository, asked: str) -> tuple[str, str]:
    """The revision that binds, and why it is that one."""
    if asked:
        return repository.resolve(asked), "as asked"
    branches = read_branches(repository)
    if branches.targets:
        return branches.targets[0].oid, f"{branches.targets[0].name}, {branches.targets[0].why}"
    head = repository.find("HEAD")
    return head, "HEAD, as no branch is known that a change would go to" if head else "no commit yet"


def _planned(repository: Repository, question: Question, block: Block) -> tuple[Target, ...]:
    tool: Tool = next(one for one in targets.TOOLS if one == question.tool)
    if repository.path == repository.common_dir:
        if question.write or question.check:
            raise InputError("this repository is bare and has no files to write", mend="go into a work tree")
        return ()
    return targets.plan(repository.path, tool, block, force=question.force)


def _instructions(repository: Repository, found: Read) -> dict[str, str]:
    """The instructions as they stand in the work tree; of a bare repository as they stand at the base."""
    names = [name for name in INSTRUCTIONS if name in found.sources.paths]
    if repository.path == repository.common_dir:
        rules = [path for path in found.sources.paths if path.startswith(".cursor/rules/") and path.endswith(".mdc")]
        return {name: found.sources.text(name) for name in (*names, *rules[:MOST_RULES])}
    root = repository.path
    paths = [root / name for name in INSTRUCTIONS]
    if (root / ".cursor/rules").is_dir() and not (root / ".cursor").is_symlink():
        paths += sorted((root / ".cursor/rules").glob("*.mdc"))[:MOST_RULES]
    texts: dict[str, str] = {}
    for path in paths:
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST_BYTES:
            texts[str(path.relative_to(root))] = path.read_bytes().decode("utf-8", "replace")
    return texts


def _records(repository: Repository) -> bool:
    """Whether git's hooks of the recorder were installed in this clone."""
    place = find_place(str(repository.path))
    return place is None or bool(read_memory(memory_of("git", place, Path())))


def _remarks(
    repository: Repository, question: Question, planned: tuple[Target, ...], written: tuple[str, ...]
) -> list[str]:
    said = [] if question.check or _records(repository) else [NO_HOOKS]
    said += [
        f"{one.name}: {one.said}" for one in planned if one.said and not (question.check and one.state == "edited")
    ]
    if written:
        said.append("commit it, so that agents of everybody read it")
    return said


def _checked_text(planned: tuple[Target, ...]) -> str:
    words = {
        "absent": "has no block: tidegate agent guide --write",
        "stale": "says what does not hold any more: tidegate agent guide --write",
        "edited": "was edited by hand inside the block: move that out of it",
        "moved": "holds; only counts moved",
        "current": "holds",
    }
    return "\n".join(
        f"{one.name} {one.said if one.state == 'absent' and one.said else words[one.state]}" for one in planned
    )


def _code(question: Question, planned: tuple[Target, ...]) -> int:
    if question.check:
        return int(any(one.state in ("stale", "edited") or (one.state == "absent" and not one.said) for one in planned))
    return int(question.write and any(one.state == "edited" and one.said for one in planned))
