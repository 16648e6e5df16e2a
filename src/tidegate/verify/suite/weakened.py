"""Where a test that stays says less than before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tidegate.facts import Severity
from tidegate.verify.suite.around import Around
from tidegate.verify.suite.matching import Kept, likeness
from tidegate.verify.suite.tolerances import fields, thrown, tolerance, wildcards, without_tolerance
from tidegate.verify.suite.values import BARE, CLOSE, EXACT, ROUGH, Assertion, TestCase

_REWRITTEN, _RENAMED = 0.4, 0.8
_PLAIN = re.compile(r"True|False|None|true|false|null|nil|undefined|0|\[\]|\{\}|\(\)|''|\"\"|")


class Weakening(Struct, frozen=True):
    """One way in which the change makes the tests say less. A `note` is worth a look and no weakening."""

    rule: str
    severity: Severity
    message: str
    path: str
    line: int
    mend: str


def weakened(kept: Kept, around: Around) -> Iterator[Weakening]:
    """How the change weakens one test."""
    yield from _switched_off(kept)
    if kept.before.unseen and not kept.after.unseen and kept.after.assertions == kept.before.assertions == ():
        words = "asserted by something that it calls or asks for, which asserts nothing now"
        yield _of(kept, "medium", words, kept.after.line, "let the helper assert again")
    if kept.before.text == kept.after.text:
        return
    said = list(_loosened(kept, around)) or list(_fewer(kept, around))
    yield from map(_softened, said) if _is_another(kept) else said or _other_values(kept, around)
    if kept.after.cases < kept.before.cases and not around.gone & kept.before.words:
        yield from _fewer_cases(kept, around)
    if kept.after.retries and not kept.before.retries:
        yield _of(kept, "low", "is run again until it passes", kept.after.line, "find out why it fails now and then")


# Private


def _is_another(kept: Kept) -> bool:
    """Whether two tests that have different names were joined by their words alone, and have few of them in common."""
    old, new = (one.name.rpartition(".")[2].rpartition(" > ")[2] for one in (kept.before, kept.after))
    return old != new and likeness(kept.before.text, kept.after.text) < _RENAMED


def _softened(one: Weakening) -> Weakening:
    return Weakening(one.rule, "note", f"{one.message}; it may be another test", one.path, one.line, one.mend)


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
        if _words(one.text) & around.gone:
            continue
        same = [at for at, other in enumerate(new) if at not in taken and _about(other) == _about(one)]
        if not same:
            yield from _parts(kept, one, new)
            continue
        best = max(same, key=lambda at: (new[at].strength, -tolerance(new[at])))
        taken.add(best)
        other = new[best]
        words = _looser(one, other)
        if not words or _covered(one, new, best):
            continue
        line = f"`{_short(one.text)}` became `{_short(other.text)}`"
        yield _of(kept, "medium", f"{words}: {line}", other.line, "assert as much as before, or say why less is right")


def _looser(one: Assertion, other: Assertion) -> str:
    """How an assertion is looser than the one it took the place of, "" where it is not."""
    if one.opaque or other.opaque:
        return ""
    was, now = tolerance(one), tolerance(other)
    if was and now > was * 1.5 and other.strength <= one.strength:
        return "allows a larger difference"
    if _PLAIN.fullmatch(one.expected) and other.strength == ROUGH:
        return ""
    if one.subject.startswith("raises: ") and other.strength < one.strength:
        return "takes a wider exception" if one.expected != other.expected else "no longer looks at the message"
    if thrown(one)[1] and thrown(other)[0] and not thrown(other)[1]:
        return "takes a wider exception"
    if now and not was and one.strength == EXACT:
        return "compares roughly what it compared exactly"
    if other.strength < one.strength and one.strength >= CLOSE:
        return _in_words(one, other)
    if wildcards(other) > wildcards(one) and other.strength <= one.strength:
        return "takes any value where it wanted one"
    less, more = fields(other.expected or other.text), fields(one.expected or one.text)
    if one.strength == other.strength == CLOSE and less < more:
        return f"compares {len(less)} of {len(more)} fields"
    return ""


def _in_words(one: Assertion, other: Assertion) -> str:
    if _positive(one.text) == _positive(other.text):
        return "asserts the opposite, which pins down less"
    return "asserts less of the same value"


def _parts(kept: Kept, one: Assertion, new: Sequence[Assertion]) -> Iterator[Weakening]:
    """A whole value was compared, and now only some of its fields are."""
    wanted = fields(one.expected) if one.strength == EXACT else frozenset()
    subject = _squeezed(one.subject)
    parts = [
        other
        for other in new
        if re.match(re.escape(subject) + r"(\.\w+|\[[\"']\w+[\"']\])(\W|$)", _squeezed(other.subject))
    ]
    if parts and len(parts) < len(wanted):
        words = f"compares {len(parts)} of {len(wanted)} fields: `{_short(one.text)}` became `{_short(parts[0].text)}`"
        yield _of(kept, "medium", words, parts[0].line, "compare the whole value, or say why a part is enough")


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
    old, new = (list(filter(_tells, side)) for side in _difference(kept))
    if (after.unseen and not before.unseen) or any(one.opaque for one in new):
        return
    live_before, live_after = (sum(map(_tells, one.live)) for one in (before, after))
    if live_after >= live_before or after.cases > before.cases or _loops_now(kept):
        return
    if not after.live and after.unseen:
        return
    stays = {one.text for one in after.live}
    lost = [
        one
        for one in old
        if one.text not in stays
        and around.elsewhere[one.text] <= 0
        and not _words(one.text) & around.gone
        and one.strength > BARE
    ]
    merged = [one for one in lost if _said_by(one, new)]
    surplus = min(len(lost) - max(len(new), len(merged)), live_before - live_after)
    if surplus <= 0 or (likeness(before.text, after.text) < _REWRITTEN and 2 * live_after > live_before):
        return
    weight = sum(one.strength for one in before.live) - sum(one.strength for one in after.live)
    if weight <= 0:
        return
    first = next((one for one in lost if one not in merged), lost[0])
    count = f"{surplus} assertion{'s' if surplus > 1 else ''} fewer"
    words = f"has {count}: `{_short(first.text)}` of line {first.line} at the base is gone"
    severity: Severity = "medium" if not after.live or surplus > 1 or first.strength == EXACT else "low"
    if excuse := _excuse(kept, around, lost, new):
        words, severity = f"{words}; {excuse}", "note"
    yield _of(kept, severity, words, after.line, "put it back, or say why it is no longer true")


def _loops_now(kept: Kept) -> bool:
    """Whether assertions became a loop that runs."""
    return kept.after.repeats and not kept.before.repeats and _idle(kept.after) <= _idle(kept.before)


def _idle(test: TestCase) -> int:
    return len(test.assertions) - len(test.live)


def _tells(one: Assertion) -> bool:
    """Whether an assertion is about what is tested, and does not only make sure that a step before it went well."""
    return not one.opaque and not _STEP.search(_squeezed(one.text))


_STEP = re.compile(
    r"\bNoErrorf?\(|^err(or)?!=nil$|\.unwrap\(\)$|\.expect\(\"[^\"]*\"\)$|assertDoesNotThrow|raise_for_status\(\)$|"
    r"require\.NotNil\(|\blog\w*\b.*\.(Error|Fatal|Warn)\w*\("
)


def _said_by(one: Assertion, new: Sequence[Assertion]) -> bool:
    """Whether a new assertion pins down as much about the same value."""
    subject = re.sub(r"\.(Error|getMessage|message)(\(\))?$", "", _squeezed(one.subject))
    return any(
        other.strength >= one.strength
        and len(subject) > 2
        and re.search(rf"(?<![\w.]){re.escape(subject)}(?!\w)", _squeezed(other.text))
        for other in new
    )


def _is_whole(one: Assertion) -> bool:
    """Whether a value is compared with a literal that has named fields."""
    return one.strength == EXACT and _ITEM.search(one.text) is not None


_ITEM = re.compile(r"[\"'\w\]]\s*(=>|(?<!:):(?!:))\s*[\"'\w\[{]")


def _excuse(kept: Kept, around: Around, lost: Sequence[Assertion], new: Sequence[Assertion]) -> str:
    """Why fewer assertions are rather another behaviour than a weaker test, "" where nothing says so."""
    if any(one.subject.startswith("raises: ") or thrown(one)[0] for one in new):
        return "it is expected to raise now"
    if around.taken_out(kept.path, kept.before):
        return "the source that it is about is taken out too"
    if around.undeprecated and any("deprecat" in one.text.lower() for one in lost):
        return "what was deprecated is taken out"
    if any(map(_is_whole, new)) and not any(map(_is_whole, lost)):
        return "a whole value is compared now"
    heirs = around.taken_over(kept.path, kept.before, lost)
    if heirs:
        return f"{heirs[0].name} is new and asserts as much"
    known = {root for one in lost if (root := re.match(r"\w+", _squeezed(one.subject)))}
    roots = {root[0] for root in known}
    if any(_PLAIN.fullmatch(one.expected) and one.expected and roots & _words(one.text) for one in new):
        return "there is nothing more to look at now"
    return ""


def _fewer_cases(kept: Kept, around: Around) -> Iterator[Weakening]:
    """A table of cases that lost some of them."""
    before, after = kept.before, kept.after
    if around.taken_out(kept.path, before) or any(one.cases > 1 for one in around.fresh.get(kept.path, ())):
        return
    words = f"runs for {after.cases} case{'s' if after.cases != 1 else ''} where it ran for {before.cases}"
    yield _of(kept, "low", words, after.line, "put the cases back, or say why they are no longer true")


def _other_values(kept: Kept, around: Around) -> Iterator[Weakening]:
    """Expected values that change together with the source: a changed behaviour looks so, and a bent test too."""
    if not around.source:
        return
    old, new = _difference(kept)
    pairs = [
        (one, other)
        for one in old
        for other in new
        if one.strength == EXACT and other.strength == EXACT and _about(one) == _about(other) and not one.opaque
    ]
    if pairs:
        one, other = pairs[0]
        count = f" and {len(pairs) - 1} more" if len(pairs) > 1 else ""
        words = f"expects another value than before: `{_short(one.text)}` became `{_short(other.text)}`{count}"
        yield _of(kept, "note", words, other.line, "make sure that the new value is what is wanted")


def _about(one: Assertion) -> str:
    """What an assertion is about, so that two of them can be compared: the value, or what must throw."""
    subject = without_tolerance(_squeezed(thrown(one)[0] or one.subject))
    return re.sub(r"^round\((.*),\d+\)$|^(?:abs|Math\.abs)\((.*)\)$", r"\1\2", subject)


def _positive(text: str) -> str:
    """An assertion without what turns it round."""
    return re.sub(r"!=|==|\bnot\b|\bis\b|(?<=[a-z.])Not(?=[A-Z])|\bnot_|_not\b|^!|\.not\b|refute|assert|\s", "", text)


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
