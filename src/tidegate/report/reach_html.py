"""Reach as one page that needs nothing else: no network, and without scripts all of it can still be read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from itertools import groupby

from tidegate.reach.answer import ReachAnswer, ReachedSymbol
from tidegate.report.escape import markup
from tidegate.report.layout import grouped
from tidegate.report.reach_page import SCRIPT, STYLE
from tidegate.report.reach_run import run_commands
from tidegate.report.reach_svg import STYLE as SVG_STYLE
from tidegate.report.reach_svg import render_reach_svg
from tidegate.report.reach_tree import Branch, Root, Tree, grow_tree
from tidegate.report.reach_words import (
    View,
    change_words,
    changed_name,
    conclusion,
    doubts,
    entry_words,
    evidence_words,
    percent,
    rests_on,
    rule_words,
    service_words,
    symbol_name,
    tier_words,
    totals,
)

MOST_TREE = 1500
"""Lines of the tree at most, and rows of the tables below."""

MOST_ROWS = 5000
MOST_NESTED = 40
"""Browsers stop nesting at some depth: deeper branches stand side by side."""


def render_reach_html(answer: ReachAnswer, view: View = View()) -> str:  # noqa: B008 an immutable value
    """The page, every foreign text escaped. The content security policy allows its own styles and its own script."""
    anchors = _anchors(answer, view)
    body = [
        *_head(answer),
        f'<figure class="picture">{render_reach_svg(answer, view, anchors, titled=False)}</figure>',
        *_changed(answer),
        *_tree(grow_tree(answer, view, view.limit or MOST_TREE)),
        *_files(answer, view, anchors),
        *_entries(answer),
        *_services(answer),
        *_people(answer),
        *_tests(answer),
        *_co_changes(answer),
        *_completeness(answer),
    ]
    policy = (
        f"default-src 'none'; style-src {_hash(STYLE)} {_hash(SVG_STYLE)}; script-src {_hash(SCRIPT)}; "
        "base-uri 'none'; form-action 'none'"
    )
    head = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{markup(f'Reach of {answer.asked}' if answer.asked else 'Reach', 120)}</title>",
        f"<style>{STYLE}</style></head><body><main>",
    ]
    return "\n".join([*head, *body, f'</main><script type="module">{SCRIPT}</script></body></html>']) + "\n"


# Private


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode('ascii')}'"


def _anchors(answer: ReachAnswer, view: View) -> dict[str, str]:
    """Files to the ids of their parts of the page; a folder leads to the first of its files."""
    paths = sorted({symbol.symbol.path for symbol in answer.reached if view.shows(symbol)})
    anchors = {path: f"file-{number}" for number, path in enumerate(paths)}
    for path in paths:
        parts = path.split("/")[:-1]
        for end in range(1, len(parts) + 1):
            anchors.setdefault("/".join(parts[:end]) + "/", anchors[path])
    return anchors


def _head(answer: ReachAnswer) -> list[str]:
    said = conclusion(answer)
    lines = [f"<h1>{markup(totals(answer))}</h1>"]
    if said:
        lines.append(f'<p class="verdict {answer.verdict}">{markup(said)}</p>')
    lines += [f"<p>{markup(note)}</p>" for note in answer.notes]
    return lines


def _changed(answer: ReachAnswer) -> list[str]:
    rows = [
        (symbol.symbol.path, changed_name(symbol), change_words(symbol), f"{symbol.line}") for symbol in answer.changed
    ]
    return _table("What changed", ("file", "symbol", "how", "line"), rows)


def _tree(tree: Tree) -> list[str]:
    if not tree.roots:
        return []
    lines = ['<section id="tree"><h2>What can feel it</h2>']
    for root in tree.roots:
        lines += _root(root)
    if tree.left:
        lines.append(f"<p>and {tree.left:,} more in {grouped(tree.left_files, 'file')}</p>")
    if tree.hidden:
        lines.append(f"<p>and {tree.hidden:,} that the depth or the least probability hides</p>")
    return [*lines, "</section>"]


def _root(root: Root) -> list[str]:
    place = markup(str(root.changed.symbol))
    lines = [f'<details open class="root"><summary><b>{place}</b></summary>', "<ul>"]
    stack: list[tuple[Branch | None, int]] = [(branch, 1) for branch in reversed(root.branches)]
    while stack:
        branch, depth = stack.pop()
        if branch is None:
            lines.append("</ul></details></li>")
            continue
        kids = branch.children
        if not kids:
            lines.append(f"<li>{_branch(branch)}</li>")
        elif depth >= MOST_NESTED:
            lines.append(f"<li>{_branch(branch)}</li>")
            stack += [(kid, depth) for kid in reversed(kids)]
        else:
            state = " open" if depth < 3 else ""
            lines.append(f"<li><details{state}><summary>{_branch(branch)}</summary><ul>")
            stack.append((None, depth))
            stack += [(kid, depth + 1) for kid in reversed(kids)]
    return [*lines, "</ul></details>"]


def _branch(branch: Branch) -> str:
    first = branch.symbols[0]
    names = ", ".join(markup(symbol_name(symbol), 80) for symbol in branch.symbols[:5])
    more = f" and {len(branch.symbols) - 5:,} more" if len(branch.symbols) > 5 else ""
    how = markup(rule_words(first.rule) + evidence_words(first.evidence), 100)
    place = markup(_place(first) if len(branch.symbols) == 1 else first.symbol.path, 300)
    return f"<i>{percent(branch.probability).strip()}</i> <b>{names}</b>{more} {how} <code>{place}</code>"


def _place(symbol: ReachedSymbol) -> str:
    return f"{symbol.symbol.path}:{symbol.via_line}" if symbol.via_line else symbol.symbol.path


def _files(answer: ReachAnswer, view: View, anchors: dict[str, str]) -> list[str]:
    """Every file that is reached, folded, with its symbols."""
    shown = [symbol for symbol in answer.reached if view.shows(symbol)][:MOST_ROWS]
    if not shown:
        return []
    ordered = sorted(shown, key=lambda symbol: (symbol.symbol.path, -symbol.probability, symbol.symbol.name))
    lines = ['<section id="files"><h2>By file</h2>']
    for path, group in groupby(ordered, key=lambda symbol: symbol.symbol.path):
        symbols = list(group)
        best = percent(symbols[0].probability).strip()
        lines.append(
            f'<details id="{anchors[path]}"><summary><code>{markup(path, 300)}</code> '
            f"{grouped(len(symbols), 'symbol')}, {best}</summary>"
        )
        rows = [
            (
                percent(symbol.probability).strip(),
                symbol_name(symbol),
                rule_words(symbol.rule) + evidence_words(symbol.evidence),
                str(symbol.toward),
                grouped(symbol.distance, "hop"),
            )
            for symbol in symbols
        ]
        lines += [*_rows(("chance", "symbol", "how", "what", "distance"), rows), "</details>"]
    left = len(answer.reached) - len(shown)
    return [*lines, *([f"<p>and {grouped(left, 'symbol')} not shown</p>"] if left else []), "</section>"]


def _entries(answer: ReachAnswer) -> list[str]:
    rows = [
        (percent(entry.probability).strip(), entry.kind, entry.name, entry.framework, entry_words(entry))
        for entry in answer.entry_points
    ]
    return _table("Entry points", ("chance", "kind", "name", "framework", "where"), rows)


def _services(answer: ReachAnswer) -> list[str]:
    rows = [
        (
            percent(reached.probability).strip(),
            reached.service.name,
            tier_words(reached.service),
            service_words(reached),
            reached.service.source,
        )
        for reached in answer.services
    ]
    return _table("Services", ("chance", "service", "tier", "why", "declared in"), rows)


def _people(answer: ReachAnswer) -> list[str]:
    rows = [("owner", owner, "") for owner in answer.owners]
    rows += [("ask", *person.partition(": ")[::2]) for person in answer.reviewers]
    rows += [("knows it", expert.person, expert.reason) for expert in answer.experts]
    return _table("People", ("as", "who", "why"), rows)


def _tests(answer: ReachAnswer) -> list[str]:
    rows = [
        (percent(test.probability).strip(), str(test.symbol), "seen in a run" if test.evidence == "recorded" else "")
        for test in answer.tests
    ]
    commands = "\n".join(run_commands(answer.tests[:10]))
    lines = _table("Tests to run first", ("chance", "test", ""), rows)
    return [*lines, *([f"<pre>{markup(commands)}</pre>"] if commands else [])]


def _co_changes(answer: ReachAnswer) -> list[str]:
    rows = [
        (percent(pair.confidence).strip(), str(pair.symbol), str(pair.because), f"{pair.support} of {pair.commits}")
        for pair in answer.co_changes
    ]
    return _table("Usually changes along, and did not", ("share", "what", "with", "commits"), rows)


def _completeness(answer: ReachAnswer) -> list[str]:
    completeness = answer.completeness
    said = [f"<li>{markup(text, 600)}</li>" for text in doubts(completeness)]
    lines = ["<section><h2>What this rests on</h2>", f"<p>{markup(rests_on(completeness))}</p>"]
    lines += ["<p>Not known:</p><ul>", *said, "</ul>"] if said else []
    lines += _table("Not read", ("file", "why"), list(completeness.unread), level=3)
    ends = "..".join(end for end in (answer.base, answer.head) if end)
    return [*lines, f"<p>{markup(f'Asked: {answer.asked} {ends}', 400)}</p>", "</section>"]


def _table(heading: str, columns: Sequence[str], rows: Sequence[Sequence[str]], level: int = 2) -> list[str]:
    """A section with one table, none for no rows."""
    if not rows:
        return []
    left = len(rows) - MOST_ROWS
    more = [f"<p>and {left:,} more</p>"] if left > 0 else []
    return [f"<section><h{level}>{heading}</h{level}>", *_rows(columns, rows[:MOST_ROWS]), *more, "</section>"]


def _rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    body = ("<tr>" + "".join(f"<td>{markup(cell, 400)}</td>" for cell in row) + "</tr>" for row in rows)
    return [f"<table><thead><tr>{head}</tr></thead><tbody>", *body, "</tbody></table>"]
