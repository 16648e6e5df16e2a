"""`{ annotation = true }`: every added source line says who or what wrote it."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from tidegate.facts import FileFact, SpanFact, Unknown
from tidegate.policy.case import Case, change_range, count, listing, look, need, short
from tidegate.policy.obligations.kind import Judged, Kind, met, refuse_false, unmet


class Annotation(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `annotation`."""

    annotation: bool


def _text(_: Annotation) -> str:
    return "Every added source line says who or what wrote it"


def _judge(_: Annotation, case: Case) -> Judged:
    lines = need(case.document, "provenance.source_lines.unknown", int)
    critical = need(case.document, "provenance.critical_lines.unknown", int)
    if not lines and not critical:
        return met("it is known who or what wrote each of them")
    added = need(case.document, "provenance.source_lines.added", int)
    parts = [f"{lines} of {count(added, 'added source line')}"] if lines else []
    parts += [f"{count(critical, 'added line')} in critical domains"] if critical else []
    where = listing([f"{commit} ({count(n, 'line')})" for commit, n in _silent_commits(case)], 3)
    return unmet(f"nothing says who or what wrote {' and '.join(parts)}{f', in {where}' if where else ''}")


def _next_step(case: Case) -> str:
    silent = _silent_commits(case)
    where = silent[0][0] if silent else change_range(case.document)
    return (
        f"tidegate annotate {where} --tool TOOL --model MODEL for what an agent wrote; "
        f"tidegate annotate {where} --human for what people typed"
    )


def _silent_commits(case: Case) -> list[tuple[str, int]]:
    """Commits that hold lines this asks about and nothing speaks for, in short, with their number, most lines first.

    Blank lines and files that it does not ask about are left out: to annotate such a commit would change nothing.
    """
    spans = look(case.document, "provenance.spans", list[SpanFact])
    files = look(case.document, "change.files", list[FileFact])
    aside = set() if isinstance(files, Unknown) else {file.path for file in files if not _is_asked_about(file)}
    lines: Counter[str] = Counter()
    for span in () if isinstance(spans, Unknown) else spans:
        if span.writer == "unknown" and span.commit and span.path not in aside:
            lines[short(span.commit)] += span.end_line - span.line + 1 - span.blank
    return sorted(((c, n) for c, n in lines.items() if c and n), key=lambda pair: (-pair[1], pair[0]))


def _is_asked_about(file: FileFact) -> bool:
    return file.critical or (file.kind in ("source", "test") and not file.generated and not file.vendored)


KIND = Kind("annotation", "push", Annotation, refuse_false("annotation"), _text, _judge, _next_step)
