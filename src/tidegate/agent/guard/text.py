"""What the guard says, for people and as JSON. All that is shown is one line each, without control characters."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tidegate.agent.guard.decide import Answer
from tidegate.agent.guard.keyboard import Keyboard
from tidegate.agent.guard.scope import Credential, finding

SCHEMA = "tidegate.guard/1"


def render_answer(answer: Answer, keyboard: Keyboard, credentials: tuple[Credential, ...]) -> str:
    """The answer in a few lines: the word first, then each concern with what to do instead."""
    return "\n".join(_lines(answer, keyboard, credentials))


def render_json(answer: Answer, keyboard: Keyboard, credentials: tuple[Credential, ...]) -> bytes:
    """The same as a document."""
    document = {
        "schema": SCHEMA,
        "word": "hold" if answer.held else "pass",
        "actor": "human" if keyboard.human else "agent",
        "actor_because": keyboard.why,
        "concerns": [
            {"rule": one.rule, "command": one.command, "what": one.what, "safe": one.safe, "target": one.target}
            for one in answer.concerns
        ],
        "notes": list(answer.notes),
        "credentials": [msgspec.to_builtins(one) for one in credentials],
        "finding": finding(credentials, keyboard.human),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def render_scope(credentials: tuple[Credential, ...], keyboard: Keyboard) -> str:
    """The credentials that are within reach, a line each, and what is wrong with them."""
    lines = [str(keyboard)]
    lines += [f"{one.breadth:<6}  {one.name}  opens {one.opens}" for one in credentials]
    lines += [] if credentials else ["no credential is within reach"]
    said = finding(credentials, keyboard.human)
    return "\n".join([*lines, *([f"finding: {said}"] if said else [])])


# Private


def _lines(answer: Answer, keyboard: Keyboard, credentials: tuple[Credential, ...]) -> Iterator[str]:
    yield f"{'HOLD' if answer.held else 'PASS'}  by {_clean(str(keyboard))}"
    for one in answer.concerns:
        yield f"  {_clean(one.command)}"
        yield f"    {one.rule}: {_clean(one.what)}"
        yield f"    instead: {_clean(one.safe)}"
    for note in answer.notes:
        yield f"  {_clean(note)}"
    if said := finding(credentials, keyboard.human):
        yield f"  finding: {said}"


def _clean(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
