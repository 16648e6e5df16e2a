"""`tidegate schema`: the JSON Schema of a document."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

from tidegate.cli.options import write_result

DOCUMENTS: Mapping[str, str] = {
    "audit": "tidegate.provenance.audit_run:AuditReport",
    "backtest": "tidegate.report.backtest_json:BacktestDocument",
    "backtest-comparison": "tidegate.report.backtest_json:ComparisonDocument",
    "briefing": "tidegate.insight.briefing:Briefing",
    "canary": "tidegate.rollout.canary.values:Judgement",
    "check": "tidegate.report.document:Check",
    "drill": "tidegate.drill.values:Scenario",
    "drill-answers": "tidegate.drill.values:Answers",
    "drill-report": "tidegate.drill.values:Report",
    "evidence": "tidegate.ledger.evidence.pack:Pack",
    "facts": "tidegate.facts:Facts",
    "fail-before": "tidegate.verify.failbefore.values:Result",
    "gate": "tidegate.rollout.gate:Decision",
    "incident-trace": "tidegate.operate.trace:IncidentTrace",
    "infra": "tidegate.report.infra_json:InfraDocument",
    "insight": "tidegate.insight.answer:Insight",
    "looks": "tidegate.change.scrutiny:LooksDocument",
    "mutation": "tidegate.verify.mutate.values:Mutation",
    "outcomes": "tidegate.risk.labels.told:Document",
    "reach": "tidegate.report.reach_json:ReachDocument",
    "reach-why": "tidegate.report.reach_json:WhyDocument",
    "recover": "tidegate.report.recover:RecoverDocument",
    "trace-fix": "tidegate.report.trace_fix:TraceDocument",
    "who": "tidegate.report.who:WhoDocument",
}
"""Every document that has a schema: its name, and the type that writes or reads it."""
READ = frozenset({"drill", "drill-answers", "looks", "outcomes"})
"""Those that are read: their fields with a default may be absent."""


@click.command(name="schema")
@click.argument("document", type=click.Choice(sorted(DOCUMENTS)))
def schema(document: str) -> None:
    """The JSON Schema of a document that Tidegate writes or reads."""
    write_result(schema_of(document))


def schema_of(document: str) -> str:
    """The schema of a document by its name. docs/schema/ holds them as files; `make docs` writes them."""
    from tidegate.report.schema import render_schema

    module, _, name = DOCUMENTS[document].partition(":")
    return render_schema(document, getattr(importlib.import_module(module), name), read=document in READ)
