"""Whether what two people wrote sets a demand aside."""

from __future__ import annotations

import re

from tidegate.policy.case import one_line
from tidegate.policy.identities import Identities
from tidegate.rollout.document import LONGEST_EXCEPTION_DAYS, Leave
from tidegate.rollout.gate import Question
from tidegate.rollout.people import apart, person_of
from tidegate.settings import Settings

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def why_not(leave: Leave, question: Question, settings: Settings, span: tuple[float, float], freeze: str = "") -> str:
    """Why it does not hold for this deployment at every moment of the span, "" where it does."""
    early, late = span
    identities = Identities(settings)
    people = [person_of(identities, text) for text in leave.people]
    strangers = [text for text, person in zip(leave.people, people, strict=True) if not person]
    if strangers and apart(settings, filter(None, people)) < 2:
        return f"{one_line(strangers[0], 60)} is nobody who is known"
    if apart(settings, filter(None, people)) < 2:
        return "one person gave it, and it takes two"
    if not leave.reason.strip():
        return "it has no reason"
    if leave.freeze and leave.freeze != freeze:
        return f"it is for the freeze {one_line(leave.freeze, 60)}"
    if leave.revision and (leave.revision != question.revision or not _OID.fullmatch(leave.revision)):
        return "it is for another revision"
    if not leave.ends - leave.starts <= LONGEST_EXCEPTION_DAYS * 86400:
        return f"it lasts longer than {LONGEST_EXCEPTION_DAYS} days"
    if not leave.starts <= early:
        return "it has not begun"
    if not late < leave.ends:
        return "it has ended"
    return ""
