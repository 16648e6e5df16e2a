"""What production says, as values. Times are Unix seconds; an empty text is what the sender did not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Severity = Literal["low", "medium", "high", "critical"]


class Frame(Struct, frozen=True, kw_only=True):
    """One frame of a stack trace, as its sender wrote it. `line` is 1-based, 0 where unknown."""

    file: str
    line: int
    function: str = ""
    own: bool = True


class Alert(Struct, frozen=True, kw_only=True):
    """One alert of a monitoring tool, firing or over. `key` is the same for every message about it.

    `at` is when its sender said this: of several messages the latest counts. 0: it does not say.
    """

    key: str
    sender: str
    name: str
    started: float
    ended: float | None = None
    service: str = ""
    environment: str = ""
    severity: Severity = "medium"
    summary: str = ""
    labels: Mapping[str, str] = {}
    revision: str = ""
    url: str = ""
    at: float = 0.0


class ErrorReport(Struct, frozen=True, kw_only=True):
    """A group of errors that an error tracker collected. `frames`: the innermost call last."""

    key: str
    sender: str
    kind: str
    message: str
    first: float
    frames: tuple[Frame, ...] = ()
    last: float | None = None
    count: int = 1
    service: str = ""
    environment: str = ""
    revision: str = ""
    url: str = ""


class Evidence(Struct, frozen=True, kw_only=True):
    """One reason for or against a suspect: `weight` is the log-odds that it adds, `source` what it was read from."""

    kind: str
    weight: float
    says: str
    source: str = ""


class Suspect(Struct, frozen=True, kw_only=True):
    """A change that may have caused an incident. `change` is the commit, or the deployment where none is known."""

    change: str
    probability: float
    evidence: tuple[Evidence, ...]
    deployment: str = ""


class Hypothesis(Struct, frozen=True, kw_only=True):
    """A cause that is none of the changes: load, a dependency, a certificate, data, the platform, ..."""

    kind: str
    probability: float
    evidence: tuple[Evidence, ...]


class Ranking(Struct, frozen=True, kw_only=True):
    """Who did it: the probabilities of all suspects and of all hypotheses together make 1, most probable first.

    `none` is the sum over the hypotheses: none of the changes.
    """

    suspects: tuple[Suspect, ...]
    hypotheses: tuple[Hypothesis, ...]
    none: float
    unknowns: tuple[str, ...] = ()
