"""An exercise in time: what is seen and asked, in order, until everything is decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from tidegate.drill.score import option_of
from tidegate.drill.values import Decision, Given, Inject, Scenario

ROUND = 3
"""So often a question is asked again where the answer is none."""


class Room(Protocol):
    """Where an exercise takes place: it shows, waits, asks, and has a clock."""

    def show(self, beat: Inject | Decision) -> None:
        """Show what is seen or asked."""
        ...

    def wait_for(self, minute: int) -> None:
        """Return when this minute of the exercise has come."""
        ...

    def ask(self, decision: Decision) -> str:
        """What the room decides; "" for nothing."""
        ...

    def tell(self, text: str) -> None:
        """Where a decision leads."""
        ...

    def seconds(self) -> float:
        """A clock that only goes forward."""
        ...


def beats(scenario: Scenario) -> Iterator[Inject | Decision]:
    """All that is seen and asked, in time order; what is seen comes before what is asked in the same minute."""
    every: list[Inject | Decision] = [*scenario.injects, *scenario.decisions]
    yield from sorted(every, key=lambda beat: (beat.minute, isinstance(beat, Decision)))


def play(scenario: Scenario, room: Room, given: Mapping[str, Given]) -> dict[str, Given]:
    """Play it through. What `given` has decided already is not asked; the answers of all decisions come back."""
    answers: dict[str, Given] = {}
    for beat in beats(scenario):
        room.wait_for(beat.minute)
        room.show(beat)
        if isinstance(beat, Inject):
            continue
        answer = given.get(beat.id) or _asked(beat, room)
        answers[beat.id] = answer
        option = option_of(beat, answer.given)
        room.tell(option.leads if option is not None else "It is written down.")
    return answers


# Private


def _asked(decision: Decision, room: Room) -> Given:
    begin = room.seconds()
    text = ""
    for _ in range(ROUND):
        text = room.ask(decision).strip()[:400]
        free = decision.asks in ("call", "rollback") and len(text) > 1
        if option_of(decision, text) is not None or free or not text:
            break
    return Given(decision.id, text, min(86_400.0, max(0.0, room.seconds() - begin)))
