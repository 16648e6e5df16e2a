"""docs/formats.md says what is so."""

from __future__ import annotations

import re

from tests.conftest import ROOT
from tidegate.errors import InputError, InternalError
from tidegate.report.formats import FORMATS, parse_outputs
from tidegate.report.github import MOST
from tidegate.report.markdown import COMMENT_LIMIT, MARKER, SUMMARY_LIMIT
from tidegate.report.order import MOST as MOST_LOOKS
from tidegate.report.sarif import MOST_RESULTS, SHOWN_RESULTS
from tidegate.report.style import NARROWEST, PLAIN, WIDEST

PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


def test_every_format_has_its_row() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)[: len(FORMATS)] == list(FORMATS)
    assert f"the same thing in {['', 'one', 'two', 'three', 'four', 'five', 'six', 'seven'][len(FORMATS)]} ways" in PAGE


def test_the_example_of_outputs_is_taken() -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith("tidegate check -o "))
    assert len(parse_outputs(line.split()[3::2])) == 3


def test_exit_codes() -> None:
    codes = re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)
    assert codes == ["0", "1", str(InputError("x").exit_code), str(InternalError("x").exit_code)]


def test_limits_are_those_of_the_code() -> None:
    assert f"more than {MOST_RESULTS:,} results and shows {SHOWN_RESULTS:,}" in PAGE
    assert f"{COMMENT_LIMIT:,} for a comment, 1 MiB for a summary" in PAGE
    assert SUMMARY_LIMIT == 1024 * 1024
    assert (MOST, MOST_LOOKS) == (10, 5)
    assert "ten in all" in PAGE
    assert "at most five places" in PAGE
    assert f"`{MARKER}`" in PAGE
    assert f"{NARROWEST} to {WIDEST} columns, {PLAIN.width} where there is none" in PAGE
