"""The after-action report as Markdown, to be kept beside the record of the exercise."""

from __future__ import annotations

from tidegate.drill.text import said_of
from tidegate.drill.values import Report
from tidegate.report.escape import code, markdown, plain


def render_markdown(report: Report) -> str:
    """The whole report. Foreign text is escaped; the diff and the rules stand in blocks of their own."""
    m = markdown
    group = f" by {m(report.group)}" if report.group else ""
    lines = [f"# {m(report.title)}", "", f"{report.points:g} of {report.most} points{group}. {m(report.checked)}", ""]
    lines += ["A tabletop exercise: nothing of it has happened. The session and its person are made up.", ""]
    lines += ["## Decisions", "", "| question | decided | points | why | better |", "| --- | --- | --- | --- | --- |"]
    for one in report.marked:
        late = " (late)" if one.late else ""
        cells = (one.question, one.given, f"{one.points:g} of {one.most}{late}", one.why, one.better or "-")
        lines.append(f"| {' | '.join(m(cell) for cell in cells)} |")
    truth = report.truth
    lines += ["", "## What really happened", ""]
    lines += [
        f"{code(truth.commit[:12])} {m(truth.subject)}: the change {m(truth.what)}. It was asked for with"
        f" “{m(truth.session.prompt)}”",
        "",
    ]
    lines += _block("diff", truth.diff)
    lines += ["", "## Asked of the repository", "", "| question | answer | evidence |", "| --- | --- | --- |"]
    lines += [f"| {m(one.question)} | {one.answer} | {m(one.evidence)} |" for one in report.criteria]
    lines += ["", f"The gate ({m(report.gate.policy)}) answered **{report.gate.outcome}**.", ""]
    for rule in report.gate.held:
        how = (
            "holds every change"
            if rule.always
            else "saw the place, the writer or the reach"
            if rule.anyway
            else "saw it"
        )
        lines.append(f"- {code(rule.id)} ({how}): {m(rule.why)}")
    lines += ["", "## Findings", "", *(f"- {m(text)}" for text in report.findings)]
    lines += ["", "## Actions", ""]
    tested = {one.action: one for one in report.tested}
    for action in report.actions:
        lines += [f"- [ ] {m(action.title)}"]
        if action.id in tested:
            trial = tested[action.id]
            lines += [f"      {m(said_of(trial))}", *(f"      - {m(example)}" for example in trial.examples)]
        if action.rule:
            lines += ["", *_block("toml", action.rule), ""]
    lines += ["", "## Seen in the world", ""]
    lines += [
        f"- {m(source.date)}: {m(source.fact)} <{plain(source.url).replace('>', '')}>" for source in report.source
    ]
    return "\n".join(lines) + "\n"


# Private


def _block(language: str, text: str) -> list[str]:
    """A fenced block that its content cannot close, with every odd character made visible."""
    fence = "`" * 4
    while fence in text:
        fence += "`"
    return [f"{fence}{language}", *(plain(line) for line in text.rstrip("\n").split("\n")), fence]
