"""What a drill is made of: the scenario as a document that people carry around, and what they answered.

`tidegate.drill/1` is the scenario, `tidegate.drill-answers/1` what was decided, `tidegate.drill-report/1` what came of
it. A scenario may come from elsewhere: every text and every list is bounded, and nothing in it is believed that a
repository at hand can answer.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

SCENARIO = "tidegate.drill/1"
ANSWERS = "tidegate.drill-answers/1"
REPORT = "tidegate.drill-report/1"

Line: TypeAlias = Annotated[str, Meta(max_length=400)]
Words: TypeAlias = Annotated[str, Meta(max_length=2_000)]
Long: TypeAlias = Annotated[str, Meta(max_length=200_000)]
Key: TypeAlias = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9-]{0,39}\Z")]
Oid: TypeAlias = Annotated[str, Meta(pattern=r"\A(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")]
Minute: TypeAlias = Annotated[int, Meta(ge=0, le=600)]
Seed: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Points: TypeAlias = Annotated[int, Meta(ge=0, le=10)]
Lines: TypeAlias = Annotated[tuple[Line, ...], Meta(max_length=200)]

Role: TypeAlias = Literal["on-call", "incident lead", "owner", "developer", "support", "security"]
Kind: TypeAlias = Literal["alert", "dashboard", "chat", "customer"]
Asks: TypeAlias = Literal["call", "cause", "first", "rollback", "gate", "after"]
Answer: TypeAlias = Literal["yes", "no", "unknown"]


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a document: a field that nobody knows is refused."""


class Source(Part, frozen=True):
    """Where a pattern was seen in the world. `date` is when it happened or was published."""

    url: Line
    date: Line
    fact: Words


class Inject(Part, frozen=True):
    """What one role sees at a minute of the exercise."""

    minute: Minute
    role: Role
    kind: Kind
    text: Words


class Option(Part, frozen=True):
    """One way to decide. `leads` is told once it is chosen; `why` says in the report what the points are for."""

    id: Key
    text: Words
    leads: Words
    points: Points
    why: Words


class Decision(Part, frozen=True):
    """A question at a minute of the exercise. `minutes` is the time to answer in; late answers count half.

    `call` and `rollback` also take free text: an owner, a revision. The repository says what that is worth.
    """

    id: Key
    minute: Minute
    asks: Asks
    role: Role
    question: Words
    options: Annotated[tuple[Option, ...], Meta(min_length=2, max_length=8)]
    minutes: Annotated[int, Meta(ge=1, le=60)] = 5

    @property
    def most(self) -> int:
        """The most points that it can bring."""
        return max(option.points for option in self.options)


class Session(Part, frozen=True):
    """The session of an agent that is said to have written the change. It is made up, like the person."""

    tool: Line
    model: Line
    id: Line
    person: Line
    prompt: Words


class Truth(Part, frozen=True):
    """What really happened, told at the end: a commit on top of the base, as a diff that git can apply."""

    commit: Oid
    subject: Line
    what: Words
    path: Line
    line: Annotated[int, Meta(ge=0)]
    diff: Long
    session: Session


class RuleAnswer(Part, frozen=True):
    """What one rule that held the hidden change says. `always` says that it holds every change until somebody acts.

    `anyway` says that it saw the place, the writer or the reach, and not the fault: it also holds a change of the same
    files that does nothing, or reads nothing of what the change does.
    """

    id: Line
    title: Line
    effect: Line
    why: Words
    always: bool
    anyway: bool


class Gate(Part, frozen=True):
    """The answer of the real policy of the base to the hidden change, at the stage `merge`."""

    outcome: Literal["pass", "hold", "block"]
    policy: Line
    held: Annotated[tuple[RuleAnswer, ...], Meta(max_length=200)]
    unknown: Lines = ()

    @property
    def saw(self) -> tuple[RuleAnswer, ...]:
        """The rules that held it for what it does."""
        return tuple(rule for rule in self.held if not rule.always and not rule.anyway)

    @property
    def place(self) -> tuple[RuleAnswer, ...]:
        """The rules that held it for where it is."""
        return tuple(rule for rule in self.held if rule.anyway and not rule.always)


class Criterion(Part, frozen=True):
    """One thing that was asked of the real repository, and what it answered."""

    id: Key
    question: Words
    answer: Answer
    evidence: Words


class Action(Part, frozen=True):
    """Something to do afterwards. `rule` is a ready `[[rule]]` in TOML, "" where none can be written of it."""

    id: Key
    title: Words
    rule: Long = ""


class Scenario(Part, frozen=True):
    """A whole exercise. `at` is the moment of its base commit, `why` why this pattern fits this repository.

    `owners` are those of `truth.path` at the base, as the CODEOWNERS file writes them.
    """

    schema: Literal["tidegate.drill/1"]
    pattern: Key
    title: Line
    seed: Seed
    repository: Line
    revision: Oid
    at: Line
    why: Words
    source: Annotated[tuple[Source, ...], Meta(min_length=1, max_length=8)]
    story: Words
    owners: Lines
    owners_file: Line
    services: Lines
    entry_points: Lines
    injects: Annotated[tuple[Inject, ...], Meta(min_length=1, max_length=60)]
    decisions: Annotated[tuple[Decision, ...], Meta(min_length=1, max_length=20)]
    truth: Truth
    gate: Gate
    criteria: Annotated[tuple[Criterion, ...], Meta(max_length=40)]
    actions: Annotated[tuple[Action, ...], Meta(max_length=20)]


class Given(Part, frozen=True):
    """What was decided. `given` is the id of an option, or for a call or a roll-back what was named instead."""

    decision: Key
    given: Line
    seconds: Annotated[float, Meta(ge=0, le=86_400)] = 0.0


class Answers(Part, frozen=True):
    """What a group decided. `group` is what it calls itself; no names are asked for."""

    schema: Literal["tidegate.drill-answers/1"]
    answers: Annotated[tuple[Given, ...], Meta(max_length=20)]
    group: Line = ""


class Marked(Part, frozen=True):
    """One decision, judged."""

    decision: Key
    asks: Asks
    question: Words
    given: Line
    points: float
    most: Points
    late: bool
    why: Words
    better: Words


class Tested(Part, frozen=True):
    """A rule over the changes that landed here: how many of `changes` it would have held.

    `asking` of the held only ask for something that nobody recorded of the past, such as an approval; `unjudged` could
    not be judged, `reason` says why. `problem` is why the rule could not be tried at all.
    """

    action: Key
    changes: int = 0
    held: int = 0
    asking: int = 0
    unjudged: int = 0
    reason: Words = ""
    examples: Lines = ()
    since: Line = ""
    holds_hidden: Answer = "unknown"
    problem: Words = ""


class Report(Part, frozen=True):
    """What came of an exercise. `checked` says whether a repository at hand answered, or only the file."""

    schema: Literal["tidegate.drill-report/1"]
    scenario: Line
    title: Line
    pattern: Key
    repository: Line
    revision: Oid
    group: Line
    points: float
    most: int
    marked: tuple[Marked, ...]
    gate: Gate
    criteria: tuple[Criterion, ...]
    findings: tuple[Words, ...]
    truth: Truth
    source: tuple[Source, ...]
    actions: tuple[Action, ...]
    tested: tuple[Tested, ...]
    checked: Words
