"""Hostile text cannot break out of any sink. Where there is an independent reader of a sink, it is the judge."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from markdown_it import MarkdownIt

from tests.report.hostile import hostile_text
from tests.report.samples import HOSTILE
from tidegate.report import escape

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ZERO = "\u200b"
REFERENCE = re.compile(r"@\w|(?<![\w&])#\d|(?:https?|ftp):/|www\.|\bGH-\d|:[\w+-]+:", re.IGNORECASE)


def is_visible(text: str) -> bool:
    return all(character.isprintable() for character in text)


@given(hostile_text)
@example(HOSTILE)
def test_plain_text_is_one_visible_line(text: str) -> None:
    shown = escape.plain(text)
    assert is_visible(shown)
    assert not re.search(r"##\w*\[", shown)
    shown.encode("utf-8")
    assert escape.plain(shown) == shown, "what is visible stays as it is"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Retry a charge", "Retry a charge"),
        ("naïve 漢字", "naïve 漢字"),
        ("red\x1b[31m", "red\\x1b[31m"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("gpj\u202eexe.txt", "gpj\\u202eexe.txt"),
        ("ad\u200bmin", "ad\\u200bmin"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("\udce9", "\\udce9"),
        ("filler\u3164", "filler\\u3164"),
        ("wide\u3000space", "wide space"),
        ("\u0301e", "\\u0301e"),
        ("##[add-mask]x", "#\\x23[add-mask]x"),
        ("## heading", "## heading"),
    ],
)
def test_what_has_no_glyph_is_written_as_an_escape(text: str, shown: str) -> None:
    assert escape.plain(text) == shown


def test_marks_cannot_pile_up() -> None:
    assert escape.plain("e" + "\u0301" * 50).count("\u0301") == 4


@given(hostile_text)
def test_a_limit_holds(text: str) -> None:
    assert len(escape.plain(text, 20)) <= 20


@given(hostile_text)
@example(HOSTILE)
def test_a_log_never_reads_a_command(text: str) -> None:
    shown = escape.terminal(text)
    assert is_visible(shown)
    for start in (0, *(found.end() for found in re.finditer(" ", shown))):
        assert not shown[start:].lstrip().startswith("::")
    assert escape.terminal(text, unicode=False).isascii()


@given(hostile_text)
@example(HOSTILE)
def test_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    expected = escape.plain(text).strip()
    written = escape.markdown(text)
    for page in ("- x {} y\n", "x {} y\n", "| a | b |\n| - | - |\n| x {} y | z |\n", "1. **w**: {}\n", "{}\n"):
        tokens = [token for token in READER.parse(page.format(written)) if token.type == "inline"]
        kinds = {child.type for token in tokens for child in token.children or ()}
        assert kinds <= {"text", "strong_open", "strong_close"}, page
        shown = "|".join("".join(child.content for child in token.children or ()) for token in tokens)
        assert expected in shown.replace(ZERO, ""), page
        assert not REFERENCE.search(shown), page


@given(hostile_text)
@example(HOSTILE)
@example("`")
@example(" ` ")
def test_a_code_span_holds_the_text_as_it_stands(text: str) -> None:
    page = f"- x {escape.code(text)} y\n"
    children = [child for token in READER.parse(page) if token.type == "inline" for child in token.children or ()]
    assert [child.type for child in children] == ["text", "code_inline", "text"]
    assert children[1].content.strip() == escape.plain(text).strip().replace("<!--", "<\\x21--")


class Judge(HTMLParser):
    """What a browser would take for markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.data = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(tag)

    def handle_comment(self, data: str) -> None:
        self.tags.append("comment")

    def handle_data(self, data: str) -> None:
        self.data += data


@given(hostile_text)
@example(HOSTILE)
def test_html_holds_no_markup(text: str) -> None:
    judge = Judge()
    judge.feed(f"<summary>{escape.html(text)}</summary>")
    judge.close()
    assert judge.tags == ["summary", "summary"]
    assert judge.data.replace(ZERO, "") == escape.plain(text)
    assert not REFERENCE.search(judge.data)


@given(hostile_text)
@example(HOSTILE)
def test_a_property_of_a_github_command_comes_back_whole(text: str) -> None:
    written = escape.github_property(text)
    assert not set(written) & set(":,\r\n")
    decoded = written.replace("%3A", ":").replace("%2C", ",").replace("%0D", "\r").replace("%0A", "\n")
    assert decoded.replace("%25", "%") == escape.plain(text)


@given(hostile_text)
@example(HOSTILE)
def test_sarif_text_holds_no_link_and_no_placeholder(text: str) -> None:
    shown = escape.sarif_text(text)
    assert not re.search(r"\]\(|\{\d+\}|(?<![\w.])@\w", shown)
    assert is_visible(shown.replace(ZERO, ""))


@given(hostile_text)
@example("a:b")
@example("//evil.test/x")
@example("a\\..\\b")
def test_a_sarif_uri_is_relative_and_inside(text: str) -> None:
    uri = escape.sarif_uri(text)
    if uri:
        parts = urlsplit(uri)
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
        assert uri.isascii()
        assert unquote(uri) == text.encode("utf-8", "backslashreplace").decode()
        assert ".." not in unquote(uri).split("/")
        assert not uri.startswith("/")


@given(hostile_text)
@example("##[add-mask]x")
def test_json_in_a_log_is_the_same_value_and_no_command(text: str) -> None:
    shown = text.encode("utf-8", "backslashreplace").decode()
    written = escape.json_line(json.dumps({"x": shown}, ensure_ascii=False))
    assert json.loads(written) == {"x": shown}
    assert not re.search(r"##\w*\[", written)
