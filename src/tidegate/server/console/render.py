"""Pages from templates. Every value is escaped; a name that a template does not get is an error."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from msgspec import Struct
from starlette.responses import Response

from tidegate.report.escape import plain
from tidegate.report.words import EVIDENCE
from tidegate.server.api.problems import Problem
from tidegate.store.clock import seconds_between, text_of

HERE = Path(__file__).parent
MEDIA_TYPES: Mapping[str, str] = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
LONGEST_LINE = 1000
_OWN = re.compile(r"(deployment|incident|regression) ([0-9]{1,18})")
_URL = re.compile(r"https?://[\x21-\x7e]{1,2000}")


class Page(Struct, frozen=True):
    """What the frame of every page shows. `name` "" where nobody is signed in."""

    title: str
    path: str
    now: str = ""
    name: str = ""
    role: str = ""
    allowed: frozenset[str] = frozenset()
    csrf: str = ""


class StaticFile(Struct, frozen=True):
    content: bytes
    media_type: str


def render(page: Page, template: str, status: int = 200, **context: Any) -> Response:
    """The page as HTML."""
    text = environment().get_template(template).render(page=page, static=f"/static/{static_digest()}", **context)
    return Response(text.encode("utf-8", "backslashreplace"), status, media_type="text/html")


def problem_page(problem: Problem, path: str, page: Page | None = None) -> Response:
    """What went wrong and what to do, for somebody of whom nothing is known."""
    return render(page or Page(problem.title, path), "problem.html", problem.status, problem=problem)


@cache
def environment() -> Environment:
    """Made once for a process."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(visible=visible, ago=ago, duration=duration, percent=percent, short=short, count=count)
    made.filters.update(since=since, clock=clock, day=day, source=source, quantity=quantity, shift=shift)
    made.globals.update(evidence_words=EVIDENCE)
    return made


@cache
def static_files() -> Mapping[str, StaticFile]:
    """Every file that the pages need, by its name: nothing else is ever served from the disk."""
    return {
        path.name: StaticFile(path.read_bytes(), MEDIA_TYPES[path.suffix])
        for path in sorted((HERE / "static").iterdir())
        if path.suffix in MEDIA_TYPES
    }


@cache
def static_digest() -> str:
    """Changes with the files, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for name, file in static_files().items():
        digest.update(f"{name} {len(file.content)}\n".encode() + file.content)
    return digest.hexdigest()[:12]


# Filters


def visible(text: object, limit: int = LONGEST_LINE) -> Markup:
    """A foreign text on one line. What has no glyph of its own is shown as an escape in a mark of its own."""
    given = str(text)
    shown = given[:limit]
    if shown.isascii() and shown.isprintable():
        made = escape(shown)
    else:
        made = Markup("").join(_glyph(character) for character in shown)
    return made + "…" if len(given) > limit else made


def ago(at: str, now: str) -> Markup:
    """When, in words, with the exact time for machines and on hovering."""
    if not at or not now:
        return Markup("")
    seconds = seconds_between(at, now)
    words = f"{duration(seconds)} ago" if seconds >= 0 else f"in {duration(-seconds)}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at, at, words)


def since(at: float, now: str) -> Markup:
    """The same of a time in Unix seconds."""
    text = utc(at)
    return ago(text, now) if text else Markup("at no time that can be told")


def clock(at: float) -> Markup:
    """A time in Unix seconds to the second, in UTC; the day is told by hovering."""
    text = utc(at)
    if not text:
        return Markup("no time")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(text, text, text[11:19])


def day(at: float) -> Markup:
    """Day and minute of a time in Unix seconds, in UTC."""
    text = utc(at)
    if not text:
        return Markup("no time")
    return Markup('<time datetime="{}" title="{}">{} {}</time>').format(text, text, text[:10], text[11:16])


def utc(at: float) -> str:
    """A time in Unix seconds as the tables write it; "" for one that no calendar has."""
    try:
        return text_of(datetime.fromtimestamp(at, UTC))
    except (ValueError, OverflowError, OSError):
        return ""


def source(text: str) -> Markup:
    """What was read, as a link where there is a page for it: our own, or one of another host, which learns nothing."""
    shown = visible(text, 120)
    if (known := _OWN.fullmatch(text)) is not None:
        return Markup('<a href="/{}s/{}">{}</a>').format(known[1], known[2], shown)
    if _URL.fullmatch(text):
        return Markup('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>').format(text, shown)
    return shown


def quantity(value: float) -> str:
    """A measured number, short."""
    return f"{value:.4g}" if math.isfinite(value) else "no value"


def shift(share: float) -> str:
    """A relative change."""
    whole = round(share * 100) if math.isfinite(share) else 0
    return f"{whole:+d} %" if whole else "none"


def duration(seconds: float) -> str:
    """In the one unit that matters."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def percent(share: float) -> str:
    """Whole per cent, but never 0 or 100 for what is not."""
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{share * 100:.0f} %"


def short(digest: str) -> str:
    """Enough of a digest to tell it from its neighbours."""
    return digest.removeprefix("sha256:")[:10]


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


# Private


def _glyph(character: str) -> str | Markup:
    if character.isascii() and character.isprintable():
        return escape(character)
    if unicodedata.category(character) == "Zs":
        return character if character == " " else _mark(character)
    shown = plain(character)
    return escape(character) if shown == character else _mark(character)


def _mark(character: str) -> Markup:
    name = unicodedata.name(character, "a character without a name").lower()
    return Markup('<span class="hidden-character" title="{}">U+{:04X}</span>').format(name, ord(character))
