"""Reach on a terminal: totals, what changed, the tree from the change outwards, who and what is behind it, the gaps."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tidegate.reach.answer import ChangedSymbol, Hop, ReachAnswer, SymbolId
from tidegate.report.escape import terminal
from tidegate.report.layout import columns, cut, grouped, pad, paint, wrap
from tidegate.report.reach_run import run_commands
from tidegate.report.reach_tree import Branch, Root, Tree, grow_tree
from tidegate.report.reach_words import (
    View,
    change_words,
    changed_name,
    conclusion,
    display_name,
    doubts,
    entry_groups,
    entry_words,
    evidence_words,
    pair_words,
    percent,
    rests_on,
    rule_words,
    service_words,
    shown_changes,
    silent_words,
    symbol_name,
    tiers_words,
    totals,
    without_address,
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


def _heading(text: str, style: Style, shown: int = 0, total: int = 0, said: str = "") -> str:
    parts = [f"{shown} of {total:,}"] if shown < total else []
    parts += [said] if said else []
    return paint(text, style, "bold") + (f"  {', '.join(parts)}" if parts else "")


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
    rows = shown_changes(answer)
    shown = rows[: _shown(view, _MOST_FILES)]
    if not answer.changed:
        return []
    lines = [_heading("What changed", style, len(shown), len(rows))]
    for path, symbols in shown:
        lines += _changed_file(path, symbols, style, view)
    if silent := silent_words(answer):
        lines += wrap(silent, style.width, "  ", "      ")
    return lines


def _changed_file(path: str, symbols: Sequence[ChangedSymbol], style: Style, view: View) -> list[str]:
    """One file or folder: its symbols, those with the same change together."""
    if path.endswith("/"):
        return wrap(f"{_say(path, style, 120)}  {grouped(len(symbols), 'file')} changed", style.width, "  ", "      ")
    named: dict[str, list[ChangedSymbol]] = {}
    for symbol in symbols:
        named.setdefault(change_words(symbol), []).append(symbol)
    parts = []
    for words, same in named.items():
        most = _shown(view)
        if all(not one.symbol.name or one.kind == "imports" for one in same) and same[0].kind != "module":
            parts.append(_say(words, style, 120))
            continue
        listed = ", ".join(_say(changed_name(one), style, 60) for one in same[:most])
        more = f" and {len(same) - most} more" if len(same) > most else ""
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
    named = changed.symbol.name if changed.kind != "imports" else changed_name(changed)
    name = _say(named or changed.symbol.path, style, 60)
    place = f"{changed.symbol.path}:{changed.line}" if changed.line else changed.symbol.path
    where = "" if not named else f"  {_tail(place, style, style.width - columns(name) - 4)}"
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
        who = _say(symbol_name(first), style, 80)
        how = rule_words(first.rule) + (", seen" if first.evidence == "recorded" else "")
        place = f"{first.symbol.path}:{first.via_line}" if first.via_line else first.symbol.path
    else:
        modules = not first.symbol.name and any(one.symbol.path != first.symbol.path for one in branch.symbols)
        name = first.symbol.path.rpartition("/")[2] if modules else symbol_name(first)
        who = f"{_say(name, style, 40)} and {len(branch.symbols) - 1:,} more"
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
    groups = entry_groups(entries)
    shown = groups[: _shown(view)]
    rows = []
    for group in shown:
        more = f" and {len(group) - 1:,} more" if len(group) > 1 else ""
        name = f"{_say(group[0].name, style, 60)}{more}"
        rows.append((percent(group[0].probability), name, _say(entry_words(group[0]), style, 200)))
    count = sum(len(group) for group in shown)
    return [_heading("Entry points", style, count, len(answer.entry_points)), *_rows(rows, style)] if rows else []


def _services(answer: ReachAnswer, style: Style, view: View) -> list[str]:
    shown = sorted(answer.services, key=lambda reached: reached.service.kind == "package")[: _shown(view)]
    rows = [
        (
            percent(reached.probability),
            _say(reached.service.name, style, 40),
            _say(service_words(reached, answer.owners), style, 240),
        )
        for reached in shown
    ]
    heading = _heading("Services", style, len(shown), len(answer.services), tiers_words(answer.services))
    return [heading, *_rows(rows, style)] if rows else []


def _people(answer: ReachAnswer, style: Style, view: View) -> list[str]:
    lines: list[str] = []
    if answer.owners:
        most = _shown(view, 6)
        more = [f"{len(answer.owners) - most} more"] if len(answer.owners) > most else []
        text = ", ".join((*(_say(owner, style, 60) for owner in answer.owners[:most]), *more))
        lines += _labelled("Owners", text, style)
    for number, person in enumerate(answer.reviewers[: _shown(view, 3)]):
        lines += _labelled("Ask" if not number else "", _say(without_address(person), style, 240), style)
    # Who made the change knows these lines too, and is not asked.
    asked = {display_name(person) for person in answer.reviewers}
    knowing = {display_name(expert.person): expert.reason for expert in reversed(answer.experts)}
    names = [name for name in reversed(knowing) if name not in asked]
    for number, name in enumerate(names[: _shown(view, 2)]):
        text = f"{name}: {knowing[name]}" if knowing[name] else name
        lines += _labelled("Knows" if not number else "", _say(text, style, 240), style)
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
        name = cut(_say(test.symbol.name or "all of it", style, 300), style.width * 55 // 100, style)
        seen = evidence_words(test.evidence)
        room = style.width - columns(name) - columns(seen) - 11
        lines.append(f"  {percent(test.probability)}  {name}  {_tail(test.symbol.path, style, room)}{seen}")
    return [*lines, *(f"  {command}" for command in run_commands(shown))]


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
    said = doubts(completeness) if answer.verdict == "some" else ()  # else it stands at the top, or counts for nothing
    lines = _labelled("Rests on", rests_on(completeness), style, 11)
    if said:
        lines += _labelled("Not known", _say("; ".join(said), style, 600), style, 11)[:_MOST_FILES]
    for path, reason in completeness.unread[:2]:
        lines.append(cut(f"           {_tail(path, style, 40)}: {_say(reason, style, 100)}", style.width, style))
    asked = f"{answer.asked}" if answer.asked else ""
    ends = "..".join(dict.fromkeys(end[:12] for end in (answer.base, answer.head) if end))
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
        text = f"{_called(hop.source)}  {words}  {place}"
        lines += wrap(_say(text, style, 400), style.width, f"   {percent(hop.probability)}  ", " " * 12)
    if path:
        target = path[-1].target
        text = f"{_called(target)}  {target.path}"
        lines += wrap(_say(text, style, 400), style.width, " " * 10, " " * 12)
    return lines


def _called(symbol: SymbolId) -> str:
    """How a symbol is called whose kind is not known."""
    return symbol.name or symbol.path.rpartition("/")[2]
