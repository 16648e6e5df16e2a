"""Where a test that stays says less than before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tidegate.facts import Severity
from tidegate.verify.suite.matching import Kept, likeness
from tidegate.verify.suite.values import BARE, CLOSE, EXACT, ROUGH, Assertion

_REWRITTEN = 0.4
_PLAIN = re.compile(r"True|False|None|true|false|null|nil|undefined|0|\[\]|\{\}|\(\)|''|\"\"|")


class Weakening(Struct, frozen=True):
    """One way in which the change makes the tests say less. A `note` is worth a look and no weakening."""

    rule: str
    severity: Severity
    message: str
    path: str
    line: int
    mend: str


class Around(Struct, frozen=True):
    """What the rest of the change holds: assertions that stand in other tests now, and words that left the source."""

    elsewhere: Counter[str]
    gone: frozenset[str]


def weakened(kept: Kept, around: Around) -> Iterator[Weakening]:
    """How the change weakens one test."""
    yield from _switched_off(kept)
    if kept.before.text == kept.after.text:
        return
    loose = list(_loosened(kept, around))
    yield from loose
    if not loose:
        yield from _fewer(kept, around)
    if kept.after.retries and not kept.before.retries:
        yield _of(kept, "low", "is run again until it passes", kept.after.line, "find out why it fails now and then")


# Private


def _switched_off(kept: Kept) -> Iterator[Weakening]:
    before, after = kept.before, kept.after
    off = bool(before.skipped)
    if after.skipped and not off:
        yield _of(kept, "medium", f"is switched off: {after.skipped}", after.line, "let it run", "test-skipped")
    elif after.expected_to_fail and not before.expected_to_fail and not off:
        words = f"is expected to fail now: {after.expected_to_fail}"
        yield _of(kept, "medium", words, after.line, "mend what fails", "test-skipped")
    elif after.alone and not before.alone:
        words = "runs alone: all other tests of the file are left out"
        yield _of(kept, "medium", words, after.line, "take the `only` away", "test-skipped")
    elif after.maybe_skipped and not before.maybe_skipped and not off:
        words = f"is left out under a condition now: {after.maybe_skipped}"
        yield _of(kept, "note", words, after.line, "make sure that it still runs somewhere", "test-skipped")


def _loosened(kept: Kept, around: Around) -> Iterator[Weakening]:
    """Assertions about the same thing that pin down less than before."""
    old, new = _difference(kept)
    taken: set[int] = set()
    for one in old:
        same = [
            at
            for at, other in enumerate(new)
            if at not in taken and (_squeezed(other.subject) == _squeezed(one.subject))
        ]
        if not same:
            continue
        best = max(same, key=lambda at: (new[at].strength, -new[at].limit))
        taken.add(best)
        words = _looser(one, new[best])
        if not words or _words(one.text) & around.gone or _covered(one, new, best):
            continue
        other = new[best]
        line = f"`{_short(one.text)}` became `{_short(other.text)}`"
        yield _of(kept, "medium", f"{words}: {line}", other.line, "assert as much as before, or say why less is right")


def _looser(one: Assertion, other: Assertion) -> str:
    """How an assertion is looser than the one it took the place of, "" where it is not."""
    if one.opaque or other.opaque or (_PLAIN.fullmatch(one.expected) and other.strength == ROUGH):
        return ""
    raising = one.subject.startswith("raises: ")
    if raising and other.strength < one.strength:
        return "takes a wider exception" if one.expected != other.expected else "no longer looks at the message"
    if other.strength < one.strength and one.strength >= CLOSE:
        if other.strength == CLOSE and not one.limit and other.limit:
            return "compares roughly what it compared exactly"
        return "asserts less of the same value"
    if one.limit and other.limit > one.limit * 1.5 and other.strength <= one.strength:
        return "allows a larger difference"
    return ""


def _covered(one: Assertion, new: Sequence[Assertion], best: int) -> bool:
    """Whether another new assertion pins down as much about the same thing or a part of it."""
    subject = _squeezed(one.subject)
    root = re.match(r"\w+", subject)
    for at, other in enumerate(new):
        if at != best and other.strength >= one.strength and not other.idle:
            text = _squeezed(other.text)
            if subject in text or (root and re.search(rf"\b{re.escape(root[0])}\b", text)):
                return True
    return False


def _fewer(kept: Kept, around: Around) -> Iterator[Weakening]:
    """Assertions that are gone from a test that stays, and stand nowhere else."""
    before, after = kept.before, kept.after
    old, new = _difference(kept)
    if (after.unseen and not before.unseen) or any(one.opaque for one in new):
        return
    if len(after.live) >= len(before.live) or after.cases > before.cases or (after.repeats and not before.repeats):
        return
    if not after.live and after.unseen:
        return
    lost = [
        one
        for one in old
        if around.elsewhere[one.text] <= 0
        and not _words(one.text) & around.gone
        and one.strength > BARE
        and not one.opaque
    ]
    surplus = min(len(lost) - len(new), len(before.live) - len(after.live))
    if surplus <= 0 or (likeness(before.text, after.text) < _REWRITTEN and 2 * len(after.live) > len(before.live)):
        return
    weight = sum(one.strength for one in before.live) - sum(one.strength for one in after.live)
    if weight <= 0:
        return
    first = lost[0]
    count = f"{surplus} assertion{'s' if surplus > 1 else ''} fewer"
    words = f"has {count}: `{_short(first.text)}` of line {first.line} at the base is gone"
    severity: Severity = "medium" if not after.live or surplus > 1 or first.strength == EXACT else "low"
    yield _of(kept, severity, words, after.line, "put it back, or say why it is no longer true")


def _difference(kept: Kept) -> tuple[list[Assertion], list[Assertion]]:
    """The live assertions that only one side has, by their text."""
    old, new = kept.before.live, kept.after.live
    old_texts, new_texts = Counter(map(_text, old)), Counter(map(_text, new))
    only_old, only_new = old_texts - new_texts, new_texts - old_texts
    return _take(old, only_old), _take(new, only_new)


def _take(found: Sequence[Assertion], wanted: Counter[str]) -> list[Assertion]:
    left, taken = Counter(wanted), []
    for one in found:
        if left[_text(one)] > 0:
            left[_text(one)] -= 1
            taken.append(one)
    return taken


def _text(one: Assertion) -> str:
    return one.text


def _squeezed(text: str) -> str:
    return re.sub(r"\s+|\bself\.|\bawait\b", "", text)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[A-Za-z_]\w{2,}", text))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 90 else f"{line[:87]}..."


def _of(kept: Kept, severity: Severity, words: str, line: int, mend: str, rule: str = "test-weakened") -> Weakening:
    return Weakening(rule, severity, f"{kept.after.name} {words}", kept.path, line, mend)
