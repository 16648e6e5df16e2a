"""Trailers wherever they stand, and never those that are only quoted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.provenance.messages import read_trailers, said_lines

CLAUDE = "Co-authored-by: Claude <noreply@anthropic.com>"


def values(message: str, key: str = "co-authored-by") -> list[str]:
    return [t.value for t in read_trailers(message) if t.key == key]


@pytest.mark.parametrize(
    "message",
    [
        f"Fix\n\n{CLAUDE}",
        f"Fix\n\n{CLAUDE}\n\nAmp-Thread-ID: https://ampcode.com/threads/T-1\n\nand a last word",
        f"Squash (#12)\n\n* one\n\n{CLAUDE}\n\n* two\n\nmore",
        f"Squash (#12)\n\n* one\n  {CLAUDE}\n* two",
        f"Squash (#12)\n\n* {CLAUDE}\n- done",
        "Fix\n\nCO-AUTHORED-BY: Claude <noreply@anthropic.com>",
        "Fix\n\nCo-Authored-By : Claude <noreply@anthropic.com>\r\n",
        "Fix\n\n**Co-authored-by:** Claude <noreply@anthropic.com>",
        "Fix\n\nCo-authored-by: Claude \\<noreply@anthropic.com\\>",
        "Fix\n\nCo-authored-by: Claude &lt;noreply@anthropic.com&gt;",
        "Fix\n\nCo-authored-by: Claude <noreply@anthropic.com",
        f"Squashed commit of the following:\n\ncommit 1234\n\n    Fix\n\n    {CLAUDE}\n",
        f"Fix\n\n```\nnever closed\n{CLAUDE}",
    ],
)
def test_a_declaration_is_found_wherever_it_stands(message: str) -> None:
    assert values(message) == ["Claude <noreply@anthropic.com>"]


@pytest.mark.parametrize(
    "message",
    [
        f"Forbid trailers\n\n```\n{CLAUDE}\n```\n",
        f"Forbid trailers\n\n~~~text\n{CLAUDE}\n~~~\n",
        f"Answer\n\n> {CLAUDE}\n",
        f"Answer\n\n>{CLAUDE}\n",
        f"Tell\n\n    {CLAUDE}\n",
        f"Tell\n\n\t{CLAUDE}\n",
        f"Paste\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n {CLAUDE}\n+{CLAUDE}\n",
        f'Say that "{CLAUDE}" is gone',
        f"Say that {CLAUDE} is gone",
        f"Drop\n\n`{CLAUDE}`",
        "Nothing",
        "",
    ],
)
def test_what_is_only_quoted_declares_nothing(message: str) -> None:
    assert values(message) == []


def test_keys_are_compared_in_one_form_and_lines_are_counted() -> None:
    found = read_trailers("Subject\n\nRequested by: @alice\nAssisted-by: Claude:claude-3-opus [sparse]")
    assert [(t.key, t.value, t.line) for t in found] == [
        ("requested-by", "@alice", 3),
        ("assisted-by", "Claude:claude-3-opus [sparse]", 4),
    ]


def test_links_and_prose_are_no_trailers() -> None:
    assert read_trailers("https://example.com/a: b\nnote this:that\nRead it: x, 3: y\n12: no") == ()


@given(st.text())
def test_no_message_is_too_strange(message: str) -> None:
    lines = message.split("\n")
    for trailer in read_trailers(message):
        assert 1 <= trailer.line <= len(lines)
        assert trailer.value
    for number, line in said_lines(message):
        assert lines[number - 1].rstrip("\r") == line


def test_a_hostile_message_takes_linear_time() -> None:
    import time

    message = "\n".join(["* " * 800 + ":" * 800, "```", "a:" * 900, " " * 1900 + "x: y"] * 3000)
    started = time.process_time()
    read_trailers(message)
    assert time.process_time() - started < 2
