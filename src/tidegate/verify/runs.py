"""The check `runs`: what JUnit reports say of a run with the change. A failure that is in doubt is a failure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from tidegate.facts import Finding, Place, RunFacts, Unknown
from tidegate.verify.junit import Case, Suites, read_junit
from tidegate.verify.places import Places
from tidegate.verify.quarantine import Quarantine, read_quarantine
from tidegate.verify.reports import Report, open_report
from tidegate.verify.values import Part, Subject

_FIELD = "verification.runs"
_MOST = 20
_TESTS_LIMIT = 1_500_000
_HELD = 20_000
_PASSED, _FAILED, _SKIPPED, _RETRIED = range(4)
_NOTHING = Suites(0, 0, "")
_TITLED = re.compile(r"\.(?:[cm]?[jt]sx?|vue|svelte|feature)$")


def check(subject: Subject) -> Part:
    """What the given reports say together. Raises InputError for one that cannot be read."""
    if not subject.junit:
        return Part({"runs": RunFacts()})
    tallies = []
    for path in subject.junit:
        report = open_report(path)
        if report.kind != "junit":
            raise report.refused("it is no JUnit report", "name the file that the test runner wrote as JUnit XML")
        tallies.append(_read(report))
    whole = joined(tallies)
    if not whole.tests:
        return Part(unknowns=(Unknown(_FIELD, "the JUnit reports name no test"),))
    quarantine = read_quarantine(subject.trees.before, _day(subject))
    judged = _judge(whole, quarantine)
    facts = RunFacts(
        tests=whole.tests + whole.unnamed,
        failed=whole.failed - len(judged.quarantined) + whole.unnamed,
        skipped=whole.skipped,
        retried=len(whole.retried),
        quarantined=len(judged.quarantined),
        reports=tuple(tally.report for tally in tallies),
    )
    return Part({"runs": facts}, tuple(_findings(whole, judged, Places(subject.trees.after.paths()))))


@dataclass
class Tally:
    """One report while it is read: how each test ended, and the cases that did not simply pass."""

    report: str
    ends: dict[bytes, int] = field(default_factory=dict)
    cases: dict[bytes, Case] = field(default_factory=dict)
    suites: Suites = _NOTHING
    twice: bool = False

    def take(self, case: Case) -> None:
        """One case more. A test that failed and then passed was run again, where a name means one test only."""
        key = key_of(case)
        now = {"passed": _RETRIED if case.retried else _PASSED, "failed": _FAILED, "skipped": _SKIPPED}[case.outcome]
        before = self.ends.get(key)
        if before is None and len(self.ends) >= _TESTS_LIMIT:
            raise OverflowError
        if now == _PASSED and before in (_PASSED, _RETRIED):
            self.twice = True
        if before == _FAILED and now == _PASSED and not _titled(case):
            now = _RETRIED
        elif before is not None:
            now = _worse(before, now)
        self.ends[key] = now
        if now in (_FAILED, _RETRIED) and len(self.cases) < _HELD and (key not in self.cases or case.message):
            self.cases[key] = case

    def close(self, suites: Suites) -> None:
        """A runner runs failures again and nothing else: where passes come twice too, names are not unique."""
        self.suites = suites
        if self.twice:
            for key, end in self.ends.items():
                held = self.cases.get(key)
                if end == _RETRIED and not (held is not None and held.retried):
                    self.ends[key] = _FAILED


class Joined(Struct, frozen=True):
    """All reports together. `doubtful` failed in one report and passed in another that is no rerun: they failed.

    The maps hold at most some thousand cases; `failed` counts all.
    """

    tests: int
    failed: int
    skipped: int
    unnamed: int
    failures: dict[bytes, Case]
    retried: dict[bytes, Case]
    doubtful: frozenset[bytes]


def joined(tallies: Sequence[Tally]) -> Joined:
    """The reports as one. A later report of the same machine that holds only failures of an earlier one, and fewer
    tests, ran those again.

    Other reports are of other environments (a matrix): a test that fails in any of them fails.
    """
    ends: dict[bytes, int] = {}
    cases: dict[bytes, Case] = {}
    passed: set[bytes] = set()
    earlier: list[Tally] = []
    for tally in sorted(tallies, key=lambda one: one.suites.at):
        rerun = any(_reruns(tally, one) for one in earlier)
        for key, end in tally.ends.items():
            before = ends.get(key)
            if rerun and before == _FAILED and end in (_PASSED, _RETRIED):
                ends[key] = _RETRIED
            else:
                ends[key] = end if before is None else _worse(before, end)
        if len(tallies) > 1:
            passed.update(key for key, end in tally.ends.items() if end == _PASSED)
        cases = {**tally.cases, **cases}
        earlier.append(tally)
    by_end = {end: [key for key, one in ends.items() if one == end] for end in (_FAILED, _SKIPPED, _RETRIED)}
    return Joined(
        tests=len(ends),
        failed=len(by_end[_FAILED]),
        skipped=len(by_end[_SKIPPED]),
        unnamed=sum(tally.suites.unnamed for tally in tallies),
        failures={key: cases[key] for key in by_end[_FAILED] if key in cases},
        retried={key: cases[key] for key in by_end[_RETRIED] if key in cases},
        doubtful=frozenset(passed.intersection(by_end[_FAILED])),
    )


def key_of(case: Case) -> bytes:
    """What a test is told by, in few bytes: a report may name a million."""
    text = "\0".join((case.suite, case.classname, case.name, case.file))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()


# Private


class _Judged(Struct, frozen=True):
    """Failures that count, and quarantined ones with the reason."""

    failures: dict[bytes, Case]
    quarantined: dict[bytes, tuple[Case, str]]
    faults: tuple[str, ...]


def _read(report: Report) -> Tally:
    tally = Tally(report.name)
    try:
        suites = read_junit(report, tally.take)
    except OverflowError as error:
        raise report.refused(f"it names more than {_TESTS_LIMIT:,} tests", "write a report for each part") from error
    if not tally.ends and suites.stated:
        raise report.refused(f"it counts {suites.stated} tests and names none of them")
    tally.close(suites)
    return tally


def _titled(case: Case) -> bool:
    """Whether tests are called by titles, which several may share: their runners report a retried test once."""
    if not case.name or not (case.classname or case.file):
        return True
    name = case.name.partition("[")[0]
    return " " in name or any(_TITLED.search(text) for text in (case.file, case.classname, case.suite))


def _reruns(later: Tally, earlier: Tally) -> bool:
    if not later.ends or len(later.ends) >= len(earlier.ends):
        return False
    if not earlier.suites.at or later.suites.at <= earlier.suites.at:
        return False
    if not later.suites.host or later.suites.host != earlier.suites.host:
        return False
    return all(earlier.ends.get(key) == _FAILED for key in later.ends)


def _worse(one: int, other: int) -> int:
    return max(one, other, key=(_SKIPPED, _PASSED, _RETRIED, _FAILED).index)


def _day(subject: Subject) -> str:
    """The day of the question; an entry that ended before it has ended."""
    return subject.now[:10] or max((commit.committed_at[:10] for commit in subject.change.commits), default="")


def _judge(whole: Joined, quarantine: Quarantine) -> _Judged:
    failures, quarantined = {}, {}
    for key, case in whole.failures.items():
        entry = quarantine.entry_for(case.full_name, f"{case.classname}::{case.name}", f"{case.file}::{case.name}")
        if entry is None:
            failures[key] = case
        else:
            quarantined[key] = (case, f"{entry.reason}, until {entry.until}")
    return _Judged(failures, quarantined, quarantine.faults)


def _findings(whole: Joined, judged: _Judged, places: Places) -> Iterator[Finding]:
    mend = "Mend the code or the test."
    if judged.failures and judged.faults:
        mend += f" Of the quarantine: {'; '.join(judged.faults[:3])}."
    failing = whole.failed - len(judged.quarantined)
    for at, (key, case) in enumerate(_sorted(judged.failures)):
        if at == _MOST:
            break
        message = f"{_shown(case)} fails"
        if key in whole.doubtful:
            message += " in one report and passes in another: it is unreliable, or fails in one environment only"
        message += f": {case.message}" if case.message else ""
        message += f" (and {failing - _MOST} more tests fail)" if at == _MOST - 1 and failing > _MOST else ""
        yield Finding("test-failed", "high", message, _place(case, places), mend)
    if whole.unnamed:
        noun = "failure" if whole.unnamed == 1 else "failures"
        message = f"Suites count {whole.unnamed} {noun} that no test in the reports has"
        yield Finding("test-failed", "high", message, Place(""), "See what the test runner printed.")
    for _, case in _sorted(whole.retried)[:_MOST]:
        message = f"{_shown(case)} passed only when it was run again"
        yield Finding("test-retried", "low", message, _place(case, places), "Make the test tell the same every time.")
    for case, reason in list(judged.quarantined.values())[:_MOST]:
        message = f"{_shown(case)} fails and does not count: it is in quarantine ({reason})"
        yield Finding("test-quarantined", "note", message, _place(case, places), "Mend the test before its day.")


def _sorted(cases: dict[bytes, Case]) -> list[tuple[bytes, Case]]:
    return sorted(cases.items(), key=lambda item: (item[1].full_name, item[1].suite, item[1].file))


def _shown(case: Case) -> str:
    name = case.full_name or "a test without a name"
    return name if len(name) <= 200 else name[:200] + "..."


def _place(case: Case, places: Places) -> Place:
    """The file of the test, by what the report says of it or by the name of its class."""
    dotted = case.classname.split(".")
    names = [case.file] if case.file else []
    for cut in range(len(dotted), 0, -1):
        inner = "/".join(dotted[:cut]).partition("$")[0]
        names += [f"{inner}{suffix}" for suffix in (".py", ".java", ".kt")] if len(dotted) < 20 else []
    for name in names:
        found = places.find(name)
        if found.path and (name == case.file or found.path.endswith(name)):
            return Place(found.path, case.line if name == case.file else 0)
    return Place("")
