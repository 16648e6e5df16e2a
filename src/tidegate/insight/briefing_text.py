"""The week's page as Markdown and as HTML: the same words in the same order, escaped for each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from tidegate.insight.briefing import Briefing, Moved
from tidegate.insight.words import moved, said
from tidegate.report.escape import markdown, markup

STYLE = """\
:root { color-scheme: light dark; --back: #ffffff; --text: #1c2128; --dim: #56606c; --line: #d5dae0; }
@media (prefers-color-scheme: dark) { :root { --back: #111418; --text: #dfe4ea; --dim: #9aa4b0; --line: #323942; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 3rem; max-width: 52rem; background: var(--back); color: var(--text);
  font: 0.9375rem/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: 0; font-weight: 600; }
h2 { font-size: 1.05rem; margin: 1.5rem 0 0.4rem; font-weight: 600; }
p { margin: 0.15rem 0 0.5rem; } ol { margin: 0.25rem 0; padding-left: 1.25rem; }
.dim { color: var(--dim); } .small { font-size: 0.84rem; }
dl { margin: 0; } dt { font-weight: 600; } dd { margin: 0 0 0.5rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.84rem; }
th { text-align: left; font-weight: 500; color: var(--dim); } tbody th { color: var(--text); }
th, td { padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
@media print {
  @page { size: A4; margin: 14mm; }
  :root { --back: #fff; --text: #000; --dim: #333; --line: #999; }
  body { padding: 0; max-width: none; font-size: 9pt; line-height: 1.35; }
  h1 { font-size: 13pt; } h2 { font-size: 10pt; margin: 0.7rem 0 0.2rem; }
  p { margin: 0 0 0.2rem; } dd { margin: 0 0 0.2rem; } table, .small { font-size: 7.5pt; }
  th, td { padding: 0.1rem 0.5rem 0.1rem 0; }
}
"""
_LONGEST = 600


def render_markdown(found: Briefing) -> str:
    """For a chat, a mail or a wiki."""
    rows = [f"# {_inside(_title(found))}", "", markdown(_lead(found)), "", "## Look at", ""]
    for number, thing in enumerate(found.things, 1):
        rows.append(f"{number}. **{_inside(thing.what)}**: {_inside(thing.said)}  ")
        rows.append(f"   Begin with: {_inside(thing.look)}")
    rows += [] if found.things else [markdown(_nothing(found))]
    rows += ["", f"## Since {_day(found.since)}", ""]
    rows += [f"- {_inside(each.question)} **{_inside(each.answer)}**: {_inside(each.said)}" for each in found.headlines]
    rows += ["", "## This week beside the week before", ""]
    if found.moved:
        rows += ["| figure | week before | this week | difference |", "| --- | --- | --- | --- |"]
        rows += [f"| {' | '.join(map(_inside, _cells(one)))} |" for one in found.moved]
        rows.append("")
    rows += [line for note in _foot(found) for line in (markdown(note, 1000), "")]
    return "\n".join(rows).rstrip("\n") + "\n"


def render_html(found: Briefing) -> str:
    """A page of its own that needs nothing else and prints on one sheet."""
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n<title>{markup(_title(found))}</title>\n'
        f"<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body_html(found)}</main>\n</body>\n</html>\n"
    )


def body_html(found: Briefing) -> str:
    """What stands between the ends of any page."""
    return "\n".join(_html(found)) + "\n"


# Private


def _html(found: Briefing) -> Iterator[str]:
    yield f'<h1>{markup(_title(found))}</h1>\n<p class="dim">{markup(_lead(found))}</p>'
    yield '<section aria-labelledby="look">\n<h2 id="look">Look at</h2>'
    if found.things:
        yield "<ol>"
        for thing in found.things:
            words = f"<p><strong>{markup(thing.what, _LONGEST)}</strong>: {markup(thing.said, _LONGEST)}</p>"
            yield f'<li>{words}<p class="dim">Begin with: {markup(thing.look, _LONGEST)}</p></li>'
        yield "</ol>"
    else:
        yield f"<p>{markup(_nothing(found))}</p>"
    yield f'</section>\n<section aria-labelledby="period">\n<h2 id="period">Since {_day(found.since)}</h2>\n<dl>'
    for each in found.headlines:
        yield (
            f"<dt>{markup(each.question)}</dt><dd>{markup(each.answer)}"
            f'<br><span class="small dim">{markup(each.said, _LONGEST)}</span></dd>'
        )
    yield '</dl>\n</section>\n<section aria-labelledby="week">\n<h2 id="week">This week beside the week before</h2>'
    if found.moved:
        heads = "".join(f'<th scope="col">{each}</th>' for each in ("Figure", "Week before", "This week", "Difference"))
        yield f'<table class="list">\n<thead><tr>{heads}</tr></thead>\n<tbody>'
        for one in found.moved:
            name, before, after, between = (markup(each, _LONGEST) for each in _cells(one))
            yield (
                f'<tr><th scope="row">{name}</th><td data-label="Week before">{before}</td>'
                f'<td data-label="This week">{after}</td><td data-label="Difference">{between}</td></tr>'
            )
        yield "</tbody>\n</table>"
    for note in _foot(found):
        yield f'<p class="small dim">{markup(note, 1000)}</p>'
    yield "</section>"


def _inside(text: str) -> str:
    """Markdown that does not begin a line, where fewer characters are dangerous."""
    return markdown(f"x{text}", _LONGEST)[1:]


def _title(found: Briefing) -> str:
    return f"{found.week}: {found.scope}" if found.scope else found.week


def _lead(found: Briefing) -> str:
    before, now = found.changes
    days = f"{_day(found.weeks.since)} to {_day(found.weeks.until - 1)} (UTC)"
    return f"{days}. {_count(now)} landed; {_count(before)} the week before."


def _nothing(found: Briefing) -> str:
    if not found.looked:
        return "Nothing to look at: there is too little data for any figure."
    return f"Nothing: of {found.looked} figures none lies on the worse side with all of its interval."


def _cells(one: Moved) -> tuple[str, str, str, str]:
    between = moved(one.difference) if one.difference is not None else "cannot be told"
    return one.name, said(one.before), said(one.after), between


def _foot(found: Briefing) -> Iterator[str]:
    if not found.moved:
        yield "There is too little of either week for any figure."
    if found.silent:
        yield f"Nothing is known of: {', '.join(found.silent)}."
    for note in found.notes[:3]:
        yield f"{note[:1].upper()}{note[1:]}."
    yield "Between brackets stands where the truth lies with 95 %; n is what it rests on. Nothing here proves a cause."
    if found.looked:
        by_chance = f"about {found.looked / 40:.1f} of them lie on the worse side by chance alone"
        yield f"{_count(found.looked, 'figure')} looked at for the list above: {by_chance}."


def _count(number: int, noun: str = "change") -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
