"""Which of the commits that wrote the asked lines is the likeliest cause, and how likely it is."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from tidegate.change.values import Commit, show_path
from tidegate.risk.szz.blame import Blame, Blamed
from tidegate.risk.szz.questions import Role
from tidegate.risk.values import Suspect, SuspectLines, Trace


def rank(fix: Commit, blame: Blame, reported_at: int | None) -> Trace:
    """The suspects of a fix, the likeliest first."""
    until = datetime.fromisoformat(fix.authored_at).timestamp() if reported_at is None else reported_at
    for roles in _STEPS:
        lines = [b for b in blame.lines if b.line.role in roles and b.commit]
        held = [b for b in lines if blame.authors[b.commit].authored_at <= until]
        if held:
            oids = sorted({b.commit for b in held}, key=lambda oid: (-blame.authors[oid].committed_at, oid))
            first = 0.65 if len(oids) > 1 else 0.75
            rest = [(1 - first) / (place + 2) for place in range(len(oids) - 1)]
            return Trace(fix.oid, tuple(_suspect(o, c, held) for o, c in zip(oids, [first, *rest], strict=True)))
    return Trace(fix.oid, (), "every line that it repairs is younger than the report" if blame.lines else "no origin")


# Private

_STEPS: tuple[tuple[Role, ...], ...] = (("edited", "removed"), ("moved", "bare"), ("near",))


def _suspect(oid: str, confidence: float, lines: list[Blamed]) -> Suspect:
    own: dict[bytes, list[int]] = defaultdict(list)
    for blamed in lines:
        if blamed.commit == oid and blamed.line.distance == 0:
            own[blamed.path].append(blamed.line.number)
    found = tuple(SuspectLines(show_path(path), tuple(sorted(numbers))) for path, numbers in sorted(own.items()))
    count = sum(map(len, own.values()))
    why = f"wrote {count} of the lines that it repairs" if count else "wrote the lines beside what it inserts"
    return Suspect(oid, confidence, found, (why,))
