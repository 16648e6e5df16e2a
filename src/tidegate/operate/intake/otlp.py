"""Exceptions that spans recorded, as groups of errors: the same kind at the same place of a service is one."""

from __future__ import annotations

from collections.abc import Iterable

from tidegate.operate.frames import read_traces
from tidegate.operate.values import ErrorReport
from tidegate.rollout.intake.reading import digest, name, text
from tidegate.telemetry.otlp import Span

SENDER = "otlp"


def errors_of(spans: Iterable[Span]) -> tuple[tuple[str, ErrorReport], ...]:
    """Each exception by a key of its own: a span that is sent twice reports it once."""
    found: dict[str, ErrorReport] = {}
    for span in spans:
        for number, raised in enumerate(span.exceptions):
            traces = read_traces(raised.trace)
            frames = traces[-1].frames if traces else ()
            kind = name(raised.kind) or (traces[-1].kind if traces else "") or "exception"
            place = [(each.file, each.line) for each in frames[-1:]]
            found[f"{span.trace}/{span.span}/{number}"] = ErrorReport(
                key=digest(span.service, span.environment, kind, place),
                sender=SENDER,
                kind=kind,
                message=text(raised.message),
                first=raised.at,
                last=raised.at,
                frames=frames,
                service=name(span.service),
                environment=name(span.environment),
                revision=span.revision if len(span.revision) in (40, 64) else "",
            )
    return tuple(found.items())
