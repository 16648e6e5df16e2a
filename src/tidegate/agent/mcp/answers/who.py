"""who_wrote: the lines of a committed file, and who or what wrote them."""

from __future__ import annotations

from tidegate.agent.mcp.arguments import WhoArguments
from tidegate.agent.mcp.ask import Scene, checked_path
from tidegate.agent.mcp.values import Span, WhoAnswer
from tidegate.change.configuration import read_settings
from tidegate.provenance.who import WhoRun, parse_place, read_who


def who_wrote(scene: Scene, asked: WhoArguments) -> WhoAnswer:
    """The spans in line order. Raises InputError for a path or line that is not in HEAD."""
    path = checked_path(asked.path)
    place = parse_place(f"{path}:{asked.lines}") if asked.lines else None
    head = scene.repository.resolve("HEAD")
    settings = read_settings(scene.repository, head, scene.environment).settings
    first, last = (place.first, place.last) if place else (0, 0)
    runs = read_who(scene.repository, settings, head, path.encode("utf-8"), first, last)
    return WhoAnswer(path=path, revision=head, spans=tuple(map(_span, runs)))


# Private


def _span(run: WhoRun) -> Span:
    origin = run.origin
    return Span(
        lines=str(run.line) if run.line == run.end_line else f"{run.line}-{run.end_line}",
        writer=origin.writer,
        tool=origin.tool,
        model=origin.model,
        session=origin.session,
        accountable=origin.human,
        evidence=origin.evidence,
        source=origin.source,
        commit=origin.commit,
        committed_at=run.committed_at,
        subject=run.subject,
        conflict=bool(run.conflict),
    )
