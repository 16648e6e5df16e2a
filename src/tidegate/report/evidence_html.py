"""An evidence pack as one page that needs nothing else: no network and no scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from tidegate.ledger.evidence.controls import WANTS, Answer
from tidegate.ledger.evidence.kinds import SENTENCES
from tidegate.ledger.evidence.pack import Listed, Pack
from tidegate.ledger.evidence.values import Found
from tidegate.report.escape import markup

STYLE = (
    ":root{color-scheme:light dark;--line:#d8dee4;--dim:#59636e;--back:#fff;--text:#1f2328;--soft:#f6f8fa;"
    "--bad:#a40e26}@media(prefers-color-scheme:dark){:root{--line:#30363d;--dim:#9198a1;--back:#0d1117;--text:#e6edf3;--soft:#161b22;"
    "--bad:#ff938a}}"
    "body{margin:0;background:var(--back);color:var(--text);font:15px/1.55 system-ui,sans-serif}"
    "main{max-width:64rem;margin:0 auto;padding:2rem 1rem 4rem}h1{font-size:1.5rem}"
    "h2{font-size:1.15rem;margin-top:2.5rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;"
    "border-bottom:1px solid var(--line)}th{font-weight:600;color:var(--dim)}.wide td+td+td{width:50%}"
    "code{font:13px ui-monospace,monospace}"
    ".dim{color:var(--dim)}.missing{color:var(--bad);font-weight:600}details{border-bottom:1px solid var(--line);"
    "padding:.4rem 0}summary{cursor:pointer}.box{background:var(--soft);padding:.75rem 1rem;border-radius:6px}"
)
POLICY = f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
MOST_CHANGES = 2_000
"""On the page; `index.json` holds all of them."""


def render_evidence_html(pack: Pack) -> bytes:
    """The page. Whatever number of changes: those with exceptions first, the others up to MOST_CHANGES."""
    title = f"Evidence of {pack.repository}"
    parts = (
        f"<h1>{markup(title)}</h1><p>{_day(pack.begin)} to {_day(pack.end)} (UTC), {markup(', '.join(pack.refs))}. "
        f"Made {markup(pack.made_at)}.</p>{_summary(pack)}",
        _legs(pack),
        _exceptions(pack),
        _controls(pack),
        _changes(pack),
        _ledger(pack),
    )
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{markup(title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )
    return page.encode("utf-8", "backslashreplace")


# Private


def _summary(pack: Pack) -> str:
    count = sum(each.count for each in pack.exceptions)
    parts = pack.commits - pack.whole_changes
    rest = f" ({_many(parts, 'commit')} came with later ones of the same change)" if parts else ""
    shown = "all" if len(pack.changes) == pack.commits else f"{len(pack.changes)} of {pack.whole_changes} changes"
    drawn = ""
    if pack.sample is not None:
        secret = " and the secret that it is of" if pack.sample.revealed else ""
        drawn = (
            f" They were drawn with the seed of entry {pack.sample.seed_entry}{secret}; the same seed and the same "
            "commits give the same sample."
        )
    return (
        f'<p class="box">{_many(pack.commits, "commit")} reached the protected branches{rest}, with '
        f"{_many(count, 'exception')}. Shown here: {shown}.{drawn} This page says what evidence was found and what was "
        "missing. Whether a control is met is for the auditor to say.</p>"
    )


def _legs(pack: Pack) -> str:
    rows = (
        (
            markup(leg.name),
            "not collected" if leg.total is None else str(leg.total),
            "" if leg.matched is None else str(leg.matched),
        )
        for leg in pack.legs
    )
    return "<h2>Records held against each other</h2>" + _table(("record", "in it", "known to the others"), rows)


def _exceptions(pack: Pack) -> str:
    if not pack.exceptions:
        return "<h2>Exceptions</h2><p>None was found.</p>"
    rows = ((f"<code>{each.kind}</code>", str(each.count), markup(each.means)) for each in pack.exceptions)
    loose = "".join(f"<li>{_found(found)}</li>" for found in pack.loose)
    beside = f"<p>Those that belong to no commit:</p><ul>{loose}</ul>" if loose else ""
    return "<h2>Exceptions</h2>" + _table(("kind", "found", "what it means"), rows) + beside


def _controls(pack: Pack) -> str:
    rows = (
        (
            f"{markup(each.control.framework)} {markup(each.control.number)}",
            markup(each.control.about),
            _answers(each.answers),
        )
        for each in pack.controls
    )
    wants = "".join(f"<li><b>{want}</b>: {markup(text)}</li>" for want, text in WANTS.items())
    return (
        "<h2>What controls ask to see</h2>"
        + _table(("control", "about, in our words", "evidence"), rows).replace("<table>", '<table class="wide">', 1)
        + f"<details><summary>What the words stand for</summary><ul>{wants}</ul></details>"
    )


def _answers(answers: Iterable[Answer]) -> str:
    return "<br>".join(
        f"{answer.want}: <span{_class(answer)}>{answer.state}</span> <span class='dim'>{markup(answer.detail)}</span>"
        for answer in answers
    )


def _class(answer: Answer) -> str:
    return ' class="missing"' if answer.state == "missing" else ""


def _changes(pack: Pack) -> str:
    chosen = sorted(pack.changes, key=lambda listed: not listed.change.exceptions)
    rest = len(chosen) - MOST_CHANGES
    more = f"<p>{rest} more without a line here stand in index.json.</p>" if rest > 0 else ""
    return "<h2>Changes</h2>" + "".join(map(_change, chosen[:MOST_CHANGES])) + more


def _change(listed: Listed) -> str:
    item = listed.change
    name = f"#{item.number} {item.title}" if item.number is not None else "no change of the forge"
    wrong = ", ".join(found.kind for found in item.exceptions)
    mark = f' <span class="missing">{wrong}</span>' if wrong else ""
    at = datetime.fromtimestamp(item.at, UTC).strftime("%Y-%m-%d %H:%M")
    by = {"forge": "the forge", "commit": "the commit itself"}.get(item.at_from, "the commits around it")
    facts = [
        ("merged", f"{at} UTC, says {by}, to {markup(item.ref)}"),
        ("commit and tree", f"<code>{item.commit}</code> <code>{item.tree}</code>"),
        ("head", f"<code>{markup(item.head)}</code>" if item.head else "not known"),
        ("verdict", markup(item.verdict) or "none before it was merged"),
        (
            "entries",
            " ".join(f'<a href="{path}"><code>{path[8:-5].lstrip("0") or 0}</code></a>' for path in listed.files),
        ),
    ]
    if item.part_of:
        facts[3] = ("part of", f"<code>{item.part_of}</code>, which stands for the whole change")
    rows = "".join(f"<tr><th>{label}</th><td>{value}</td></tr>" for label, value in facts)
    exceptions = "".join(f"<li>{_found(found)}</li>" for found in item.exceptions)
    return (
        f"<details><summary><code>{item.commit[:12]}</code> {markup(name)}{mark}</summary><table>{rows}</table>"
        f"{f'<ul>{exceptions}</ul>' if exceptions else ''}<p>{_answers(listed.answers)}</p></details>"
    )


def _found(found: Found) -> str:
    detail = f" ({markup(found.what)})" if found.what else ""
    return f'<span class="missing">{found.kind}</span> {markup(SENTENCES[found.kind])}{detail}'


def _ledger(pack: Pack) -> str:
    ledger = pack.ledger
    keys = "".join(f"<li><code>{markup(key)}</code></li>" for key in (ledger.log_key, *ledger.witness_keys))
    return (
        f"<h2>The ledger</h2><p>{markup(ledger.origin)}, {_many(ledger.size, 'entry', 'entries')}. "
        f"{markup(ledger.exposure or 'It was not audited for this pack.')}</p>"
        f"<p>Keys to expect. Compare them with those that you were given by another way:</p><ul>{keys}</ul>"
        "<p>How to verify the pack without us: README.txt.</p>"
    )


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{text}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _day(time: str) -> str:
    return markup(time[:10])


def _many(count: int, word: str, words: str = "") -> str:
    return f"{count} {word if count == 1 else words or word + 's'}"
