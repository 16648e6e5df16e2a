"""`{ annotation = true }`: every added source line says who or what wrote it."""

from __future__ import annotations

from msgspec import Struct

from tidegate.policy.case import Case, change_range, count, need
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
    return unmet(f"nothing says who or what wrote {' and '.join(parts)}")


def _next_step(case: Case) -> str:
    where = change_range(case.document)
    return (
        f"tidegate annotate {where} --tool TOOL --model MODEL for what an agent wrote; "
        f"tidegate annotate {where} --human for what people typed"
    )


KIND = Kind("annotation", "push", Annotation, refuse_false("annotation"), _text, _judge, _next_step)
