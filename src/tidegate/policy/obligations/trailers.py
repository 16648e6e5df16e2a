"""`{ trailers = true }`: commit messages declare AI help, or do not, as `[provenance] trailers` asks."""

from __future__ import annotations

from msgspec import Struct

from tidegate.facts import Declaration, SpanFact
from tidegate.policy.case import Case, change_range, listing, need
from tidegate.policy.obligations.kind import Judged, Kind, met, refuse_false, unmet


class Trailers(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `trailers`."""

    trailers: bool


def _text(_: Trailers) -> str:
    return "Commit messages declare AI help as [provenance] trailers asks"


def _judge(_: Trailers, case: Case) -> Judged:
    wish = case.settings.provenance.trailers
    if wish == "ignore":
        return met("this repository asks nothing of trailers")
    declarations = need(case.document, "provenance.declarations", list[Declaration])
    spans = need(case.document, "provenance.spans", list[SpanFact])
    declaring = {d.commit for d in declarations if d.commit and d.where.startswith("trailer ")}
    if wish == "forbid":
        wrong, said = declaring, "a trailer declares an agent, and this repository forbids that"
    else:
        wrong = {s.commit for s in spans if s.commit and s.writer in ("ai", "mixed")} - declaring
        said = "there are AI lines and no trailer that declares them"
    if not wrong:
        return met("every message is as asked")
    return unmet(f"in {listing([oid[:10] for oid in sorted(wrong)])} {said}")


def _next_step(case: Case) -> str:
    if case.settings.provenance.trailers == "forbid":
        return "take it out with git commit --amend or git rebase -i; the note keeps the attribution"
    return f"tidegate annotate {change_range(case.document)} --tool TOOL --model MODEL --trailer"


KIND = Kind("trailers", "push", Trailers, refuse_false("trailers"), _text, _judge, _next_step)
