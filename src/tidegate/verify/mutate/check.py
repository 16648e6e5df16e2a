"""Reads what was found of faults in the changed lines: what `tidegate verify mutate` kept, and reports of other tools.

Only mutants on lines that the change adds count. Nothing is run here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.facts import Finding, MutationFacts, Place, Severity, Survivor, Unknown
from tidegate.verify.mutate.foreign import ForeignReport, Told, read_mutation_report
from tidegate.verify.mutate.kept import KEPT, read_kept
from tidegate.verify.mutate.plan import is_mutated, plan
from tidegate.verify.mutate.values import Judged
from tidegate.verify.values import Part, Subject, added_lines

RULE = "mutant-survived"
MOST_FINDINGS = 20
MOST_UNKNOWN_SHARE = 0.2
"""Beyond it, a share of killed mutants would speak of too few of them."""

LANGUAGES = frozenset(
    "JavaScript TypeScript Java Kotlin Scala Groovy C# F# Rust Go Ruby PHP C C++ Swift Dart Elixir Vue Svelte".split()
)
"""Besides Python: those whose changes need a report to be known."""


def check(subject: Subject) -> Part:
    """The mutants of the change, and a finding for each that no test notices, the most important first."""
    changed = _changed(subject)
    reports = [read_mutation_report(path) for path in subject.mutation]
    found = [_of_report(report, changed) for report in reports]
    judged = [one for each in found for one in each.judged]
    spoken = {path for each in found for path in each.spoken}
    reasons = [reason for each in found for reason in each.reasons]
    sources = [f"{report.tool}: {report.name}" for report in reports]
    own, dismissed, why = _own(subject, spoken)
    if own:
        sources.insert(0, "tidegate verify mutate")
    reasons += why
    silent = sorted(path for path, file in changed.items() if file.language in LANGUAGES and path not in spoken)
    if silent:
        more = f" and {len(silent) - 1} more" if len(silent) > 1 else ""
        reasons.append(f"no report of mutants speaks of {silent[0]}{more}; give one: --mutation FILE")
    judged = [*own, *judged]
    dismissed += sum(each.dismissed for each in found)
    reasons += _too_little(judged)
    findings = tuple(_findings(judged))
    if reasons:
        return Part(findings=findings, unknowns=(Unknown("verification.mutation", "; ".join(reasons)),))
    return Part(fields={"mutation": facts_of(judged, dismissed, "; ".join(sources))}, findings=findings)


def facts_of(judged: Sequence[Judged], dismissed: int, source: str) -> MutationFacts:
    """The counts of what could be judged; mutants that no test executes survived."""
    told = [one for one in judged if one.outcome != "unknown"]
    critical = [one for one in told if one.critical]
    alive = [one for one in _ordered(told) if one.outcome in ("survived", "uncovered")]
    return MutationFacts(
        mutants=len(told),
        killed=len(told) - len(alive),
        survived=len(alive),
        uncovered=sum(one.outcome == "uncovered" for one in alive),
        dismissed=dismissed,
        killed_share=_share(told),
        critical_mutants=len(critical),
        critical_killed_share=_share(critical),
        survivors=tuple(
            Survivor(Place(one.path, one.line, one.line), one.words, one.outcome == "survived") for one in alive
        ),
        source=source,
    )


# Private


class _File(Struct, frozen=True):
    language: str
    lines: frozenset[int]
    critical: bool
    content: bytes


class _Found(Struct, frozen=True):
    """What one report says of the changed files: `spoken` are the paths that it holds."""

    judged: tuple[Judged, ...]
    spoken: frozenset[str]
    dismissed: int
    reasons: tuple[str, ...]


def _changed(subject: Subject) -> Mapping[str, _File]:
    files = {
        pair.after: file
        for file, pair in subject.changed(*LANGUAGES, "Python")
        if pair.after and file.kind == "source" and (file.language != "Python" or is_mutated(file, pair.after))
    }
    lines = {path: added_lines(file) for path, file in files.items()}
    contents = subject.trees.after.read(files) if subject.mutation else {}
    return {
        path: _File(file.language, lines[path], file.critical, contents.get(path, b""))
        for path, file in files.items()
        if lines[path]
    }


def _own(subject: Subject, spoken: set[str]) -> tuple[tuple[Judged, ...], int, list[str]]:
    """What our own run kept, unless the reports speak of every Python file; else why there is nothing."""
    planned = plan(subject)
    if all(mutant.path in spoken for mutant in planned.mutants):
        return (), planned.dismissed, list(planned.unread)
    kept = read_kept(subject.kept, subject.change.base_tree, subject.change.head_tree)
    if isinstance(kept, str):
        return (), 0, [kept]
    return tuple(one for one in kept.judged if one.path not in spoken), kept.dismissed, list(planned.unread)


def _of_report(report: ForeignReport, changed: Mapping[str, _File]) -> _Found:
    joined, reasons = _joined(report, changed)
    judged: list[Judged] = []
    dismissed = 0
    for told in report.mutants:
        path = joined.get(told.path)
        if path is None or not any(line in changed[path].lines for line in range(told.line, told.end_line + 1)):
            continue
        if told.outcome is None:
            dismissed += 1
        else:
            judged.append(_judged(told, path, changed[path]))
    return _Found(tuple(judged), frozenset(joined.values()), dismissed, tuple(reasons))


def _joined(report: ForeignReport, changed: Mapping[str, _File]) -> tuple[dict[str, str], list[str]]:
    """The changed file that each path of the report means: the one that ends like it, if there is but one. A file that
    the tool saw otherwise than it is now says nothing of these lines."""
    joined: dict[str, str] = {}
    reasons = []
    for told in sorted(report.files):
        plain = told.replace("\\", "/").removeprefix("./")
        fits = [path for path in changed if _ends_alike(path, plain)]
        exact = [path for path in fits if path == plain]
        if len(exact or fits) > 1:
            reasons.append(f"{report.name}: {told} may be several of the changed files")
        elif fits:
            path = (exact or fits)[0]
            source = report.sources.get(told)
            if source is not None and source.split() != changed[path].content.decode("utf-8", "replace").split():
                reasons.append(f"{report.name}: {told} is not as it is at the head of the change; run the tool again")
            else:
                joined[told] = path
    return joined, reasons


def _ends_alike(one: str, other: str) -> bool:
    return one == other or one.endswith("/" + other) or other.endswith("/" + one)


def _judged(told: Told, path: str, file: _File) -> Judged:
    line = next(line for line in range(told.line, told.end_line + 1) if line in file.lines)
    outcome = told.outcome or "unknown"
    covered = outcome != "uncovered"
    return Judged(path, line, told.words, "", outcome, covered, "", file.critical, told.killer, told.tests)


def _too_little(judged: Sequence[Judged]) -> list[str]:
    unknown = [one for one in judged if one.outcome == "unknown"]
    if not unknown or len(unknown) <= MOST_UNKNOWN_SHARE * len(judged):
        return []
    why = f" ({unknown[0].reason})" if unknown[0].reason else ""
    return [f"{len(unknown)} of {len(judged)} faults could not be judged{why}; run again: {KEPT.command}"]


def _findings(judged: Sequence[Judged]) -> Iterator[Finding]:
    alive = [one for one in _ordered(judged) if one.outcome in ("survived", "uncovered")]
    for one in alive[:MOST_FINDINGS]:
        ran = f", although {one.tests} of them ran it" if one.tests > 1 else ""
        what = f"no test notices it when {one.words}{ran}" if one.covered else f"no test executes this: {one.words}"
        severity: Severity = "medium" if one.critical else "low"
        mend = (
            f"assert what this line does, or dismiss it: tidegate verify dismiss {one.path}:{one.line} --because '...'"
        )
        yield Finding(RULE, severity, what, Place(one.path, one.line, one.line), mend)


def _ordered(judged: Sequence[Judged]) -> list[Judged]:
    """Critical domains first, then what tests execute and do not notice, then by place."""
    return sorted(judged, key=lambda one: (not one.critical, not one.covered, one.path, one.line, one.words))


def _share(judged: Sequence[Judged]) -> float:
    killed = sum(one.outcome in ("killed", "timeout") for one in judged)
    return round(killed / len(judged), 4) if judged else 1.0
