"""Reach on a terminal: totals, what changed, the tree from the change outwards, who and what is behind it, the gaps."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from msgspec.structs import replace

from tidegate.reach.answer import ChangedSymbol, Hop, ReachAnswer, ReachedTest
from tidegate.report.escape import plain, terminal
from tidegate.report.layout import columns, cut, grouped, pad, paint, wrap
from tidegate.report.reach_tree import Branch, Root, Tree, grow_tree
from tidegate.report.reach_words import (
    View,
    change_words,
    conclusion,
    doubts,
    entry_words,
    evidence_words,
    pair_words,
    percent,
    rests_on,
    rule_words,
    service_words,
    totals,
)
from tidegate.report.style import Style


def render_reach_text(answer: ReachAnswer, style: Style, view: View = View()) -> str:  # noqa: B008 an immutable value
    """The answer for a person at a terminal, about one screen of 40 lines unless the view asks for more.

    No line is wider than the style, but for commands that must be copied.
    """
    blocks = _blocks(answer, style, view)
    crowded = not view.limit and sum(len(block) + 1 for block in blocks if block) > _SCREEN - _FEWEST
    if crowded:
        blocks = _blocks(answer, style, replace(view, limit=-1))
    used = sum(len(block) + (not crowded) for block in blocks if block)
    room = view.limit or max(_FEWEST, _SCREEN - used - 3)
    first, rest = blocks[:2], blocks[2:]
    parts = [*first, _tree(grow_tree(answer, view, room), answer, style)]
    parts += [[line for block in rest for line in block]] if crowded else rest
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in parts if block) + "\n"


def render_why_text(paths: Sequence[Sequence[Hop]], style: Style) -> str:
    """The strongest paths, each hop one line: who, how it comes about, where, how likely."""
    if not paths:
        return "No path is known. That is no proof that there is none: calls that were not resolved are not in it.\n"
    blocks = [_path(number, path, style) for number, path in enumerate(paths, 1)]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


# Private

_SCREEN = 40
_FEWEST = 8
_LIST = 3
_MOST_FILES = 5


def _blocks(answer: ReachAnswer, style: Style, view: View) -> list[list[str]]:
    """Everything but the tree, whose size depends on theirs."""
    return [
        _totals(answer, style),
        _changed(answer, style, view),
        _entries(answer, style, view),
        _services(answer, style, view),
        _people(answer, style, view),
        _tests(answer, style, view),
        _co_changes(answer, style, view),
        _completeness(answer, style),
    ]


def _say(text: str, style: Style, limit: int = 0) -> str:
    return terminal(text, limit, unicode=style.unicode)


def _shown(view: View, usual: int = _LIST) -> int:
    """How many entries a list shows: few, with a larger tree more of them, on a crowded screen (-1) fewer."""
    return usual // 2 + 1 if view.limit < 0 else max(usual, view.limit // 3)


def _heading(text: str, style: Style, shown: int = 0, total: int = 0) -> str:
    more = f"  {shown} of {total:,}: --limit {3 * total}" if shown < total else ""
    return paint(text, style, "bold") + more


def _totals(answer: ReachAnswer, style: Style) -> list[str]:
    lines = [paint(line, style, "bold") for line in wrap(totals(answer), style.width, "", "  ")]
    said = conclusion(answer)
    if said:
        lines += [
            paint(line, style, "green" if answer.verdict == "none" else "yellow")
            for line in wrap(_say(said, style, 600), style.width)
        ]
    for note in answer.notes:
        lines += wrap(_say(note, style, 300), style.width, "note: ", "  ")
    return lines


def _changed(answer: ReachAnswer, style: Style, view: View) -> list[str]:
    files: dict[str, list[ChangedSymbol]] = {}
    for symbol in answer.changed:
        if not symbol.silent:
            files.setdefault(symbol.symbol.path, []).append(symbol)
    shown = list(files.items())[: _shown(view, _MOST_FILES)]
    silent = sum(symbol.silent for symbol in answer.changed)
    if not answer.changed:
        return []
    lines = [_heading("What changed", style, len(shown), len(files))]
    for path, symbols in shown:
        lines += _changed_file(path, symbols, style, view)
    if silent:
        said = f"{grouped(silent, 'symbol')} in documentation or formatting only: nothing can feel it"
        lines += wrap(said, style.width, "  ", "      ")
    return lines


def _changed_file(path: str, symbols: Sequence[ChangedSymbol], style: Style, view: View) -> list[str]:
    """One file: its symbols, those with the same change together."""
    named: dict[str, list[str]] = {}
    for symbol in symbols:
        named.setdefault(change_words(symbol), []).append(symbol.symbol.name)
    parts = []
    for words, names in named.items():
        most = _shown(view)
        listed = ", ".join(_say(name, style, 60) or "the module" for name in names[:most])
        if names == [""] and symbols[0].what in ("file", "asked"):
            parts.append(_say(words, style, 120))
            continue
        more = f" and {len(names) - most} more" if len(names) > most else ""
        parts.append(f"{listed}{more}: {_say(words, style, 120)}")
    shown = parts[: _shown(view)]
    shown += [f"and {len(parts) - len(shown)} more"] if len(parts) > len(shown) else []
    return wrap(f"{_say(path, style, 120)}  {'; '.join(shown)}", style.width, "  ", "      ")


def _tree(tree: Tree, answer: ReachAnswer, style: Style) -> list[str]:
    lines: list[str] = []
    for root in tree.roots:
        lines += _root(root, style)
    if tree.left:
        files = grouped(tree.left_files, "file")
        lines.append(f"  and {tree.left:,} more in {files}: --limit {len(answer.reached) + len(tree.roots)}")
    if tree.hidden:
        lines.append(f"  and {tree.hidden:,} that --depth or --at-least hides")
    return [paint("What can feel it", style, "bold"), *lines] if lines else []


def _root(root: Root, style: Style) -> list[str]:
    changed = root.changed
    name = _say(changed.symbol.name or changed.symbol.path, style, 60)
    place = f"{changed.symbol.path}:{changed.line}" if changed.line else changed.symbol.path
    where = "" if not changed.symbol.name else f"  {_tail(place, style, style.width - columns(name) - 4)}"
    lines = [cut(f"  {name}{where}", style.width, style)]
    last_first = [(branch, "  ", index == len(root.branches) - 1) for index, branch in enumerate(root.branches)]
    stack = last_first[::-1]
    while stack:
        branch, lead, last = stack.pop()
        lines.append(_branch(branch, lead + _mark(last, style), style))
        below = _shorten_lead(lead + ("   " if last else "│  " if style.unicode else "|  "), style)
        children = [(kid, below, number == len(branch.children) - 1) for number, kid in enumerate(branch.children)]
        stack += children[::-1]
    return lines


def _mark(last: bool, style: Style) -> str:
    if style.unicode:
        return "└─ " if last else "├─ "
    return "`- " if last else "|- "


def _branch(branch: Branch, lead: str, style: Style) -> str:
    """One line: how likely, who, what it does with the symbol above it, and where."""
    first = branch.symbols[0]
    lead = _shorten_lead(lead, style)
    chance = percent(branch.probability)
    if len(branch.symbols) == 1:
        who = _say(first.symbol.name, style, 80) or "the module"
        how = rule_words(first.rule) + (", seen" if first.evidence == "recorded" else "")
        place = f"{first.symbol.path}:{first.via_line}" if first.via_line else first.symbol.path
    else:
        name = _say(first.symbol.name, style, 40) or "the module"
        who = f"{name} and {len(branch.symbols) - 1:,} more"
        how = _together([rule_words(symbol.rule) for symbol in branch.symbols])
        place = first.symbol.path
    how = _say(how, style, 60)
    room = style.width - columns(lead) - columns(chance) - 4
    who = cut(who, max(12, room * 45 // 100), style)
    left = room - columns(who) - columns(how) - 2
    where = _tail(place, style, left) if left >= 8 else ""
    text = f"{who}  {how}" + (f"  {where}" if where else "")
    return lead + paint(chance, style, "dim") + "  " + cut(text, room + 2, style)


def _shorten_lead(lead: str, style: Style) -> str:
    """A deep branch is drawn at the right end of the space that leads may use."""
    most = style.width // 3
    return lead if columns(lead) <= most else ".." + lead[-(most - 2) :]


def _together(words: Sequence[str]) -> str:
    """The verbs of several symbols; one that they share as it is."""
    different = list(dict.fromkeys(words))
    return different[0] if len(different) == 1 else " or ".join(different[:2])


def _tail(path: str, style: Style, room: int) -> str:
    """The end of a path in so many columns: it says more than the beginning."""
    text = _say(path, style, 400)
    if columns(text) <= room:
        return text
    ellipsis = "…" if style.unicode else "..."
    while text and columns(text) > room - columns(ellipsis):
        text = text[1:]
    _, slash, rest = text.partition("/")
    return ellipsis + (f"/{rest}" if slash and rest else text.lstrip(":"))


def _rows(rows: Sequence[tuple[str, str, str]], style: Style) -> list[str]:
    """Lines of likelihood, name and words, the names in one column unless they are long."""
    width = min(30, max((columns(name) for _, name, _ in rows), default=0))
    lines: list[str] = []
    for chance, name, words in rows:
        first, *rest = wrap(
            f"{pad(name, width)}  {words}".rstrip(), style.width, f"  {chance}  ", " " * (len(chance) + 6)
        )
        lines += [first, *rest]
    return lines


def _entries(answer: ReachAnswer, style: Style, view: View) -> list[str]:
    entries = [entry for entry in answer.entry_points if entry.probability >= view.at_least]
    shown = entries[: _shown(view)]
    rows = [
        (percent(entry.probability), _say(entry.name, style, 60), _say(entry_words(entry), style, 200))
        for entry in shown
    ]
    return [_heading("Entry points", style, len(shown), len(answer.entry_points)), *_rows(rows, style)] if rows else []


def _services(answer: ReachAnswer, style: Style, view: View) -> list[str]:
    shown = answer.services[: _shown(view)]
    rows = [
        (percent(reached.probability), _say(reached.service.name, style, 40), _say(service_words(reached), style, 240))
        for reached in shown
    ]
    return [_heading("Services", style, len(shown), len(answer.services)), *_rows(rows, style)] if rows else []


def _people(answer: ReachAnswer, style: Style, view: View) -> list[str]:
    lines: list[str] = []
    if answer.owners:
        most = _shown(view, 6)
        more = [f"{len(answer.owners) - most} more"] if len(answer.owners) > most else []
        text = ", ".join((*(_say(owner, style, 60) for owner in answer.owners[:most]), *more))
        lines += _labelled("Owners", text, style)
    for number, expert in enumerate(answer.experts[: _shown(view, 2)]):
        reason = f": {expert.reason}" if expert.reason else ""
        text = _say(f"{expert.person}{reason}", style, 240)
        lines += _labelled("Ask" if not number else "", text, style)
    reviewers = [person for person in answer.reviewers if person not in {e.person for e in answer.experts[:2]}]
    if reviewers:
        text = ", ".join(_say(person, style, 60) for person in reviewers[: _shown(view, 4)])
        lines += _labelled("Review" if answer.experts else "Ask", text, style)
    return lines


def _labelled(label: str, text: str, style: Style, width: int = 8) -> list[str]:
    lines = wrap(text, style.width, pad(label, width), " " * width)
    return [paint(label, style, "bold") + lines[0][len(label) :], *lines[1:]]


def _tests(answer: ReachAnswer, style: Style, view: View) -> list[str]:
    shown = answer.tests[: _shown(view)]
    if not shown:
        return []
    lines = [_heading("Tests to run first", style, len(shown), len(answer.tests))]
    for test in shown:
        name = _say(str(test.symbol), style, 300) + evidence_words(test.evidence)
        lines.append(cut(f"  {percent(test.probability)}  {name}", style.width, style))
    command = pytest_command(shown)
    return lines + ([f"  {command}"] if command else [])


def pytest_command(tests: Sequence[ReachedTest]) -> str:
    """The command that runs these tests, "" where none of them is one of pytest's or can be written down safely."""
    ids: list[str] = []
    for test in tests:
        path, name = test.symbol.path, test.symbol.name
        said = f"{path}{name}"
        if path.endswith(".py") and not path.startswith("-") and plain(said) == said:
            ids.append(shlex.quote("::".join((path, *name.split("."))) if name else path))
    return f"pytest {' '.join(dict.fromkeys(ids))}" if ids else ""


def _co_changes(answer: ReachAnswer, style: Style, view: View) -> list[str]:
    shown = answer.co_changes[: _shown(view, 2)]
    if not shown:
        return []
    lines = [_heading("Usually changes along, and did not", style, len(shown), len(answer.co_changes))]
    for pair in shown:
        text = f"{pair.symbol}  in {pair.support} of {pair.commits} commits with {pair.because}"
        lines += wrap(_say(text, style, 300), style.width, f"  {percent(pair.confidence)}  ", " " * 9)
    return lines


def _completeness(answer: ReachAnswer, style: Style) -> list[str]:
    completeness = answer.completeness
    said = doubts(completeness) if answer.verdict != "unknown" else ()  # then it stands at the top
    lines = _labelled("Rests on", rests_on(completeness), style, 11)
    if said:
        lines += _labelled("Not known", _say("; ".join(said), style, 600), style, 11)[:_MOST_FILES]
    for path, reason in completeness.unread[:2]:
        lines.append(cut(f"           {_tail(path, style, 40)}: {_say(reason, style, 100)}", style.width, style))
    asked = f"{answer.asked}" if answer.asked else ""
    ends = "..".join(end[:12] for end in (answer.base, answer.head) if end)
    compared = " ".join(part for part in (asked, f"({ends})" if ends and ends not in asked else "") if part)
    if compared:
        lines += _labelled("Asked", _say(compared, style, 300), style, 11)
    return lines


def _path(number: int, path: Sequence[Hop], style: Style) -> list[str]:
    chance = 1.0
    for hop in path:
        chance *= hop.probability
    head = f"{number}. {percent(chance).strip()} in {grouped(len(path), 'hop')}"
    lines = [paint(head, style, "bold")]
    for hop in path:
        words = pair_words(hop.rule).rstrip(",") + evidence_words(hop.evidence)
        place = f"{hop.source.path}:{hop.line}" if hop.line else hop.source.path
        text = f"{hop.source.name or 'the module'}  {words}  {place}"
        lines += wrap(_say(text, style, 400), style.width, f"   {percent(hop.probability)}  ", " " * 12)
    if path:
        target = path[-1].target
        text = f"{target.name or 'the module'}  {target.path}"
        lines += wrap(_say(text, style, 400), style.width, " " * 10, " " * 12)
    return lines
