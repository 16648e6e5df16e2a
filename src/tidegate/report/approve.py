"""The page that a person reads before signing, and what they read after it."""

from __future__ import annotations

from pathlib import Path

from tidegate.facts import Facts
from tidegate.ledger.approval import Opened, Terms
from tidegate.policy.verdict import Verdict
from tidegate.report.escape import terminal
from tidegate.report.style import Style
from tidegate.report.text import render_text

MOST_FILES = 40


def render_approval_page(facts: Facts, verdict: Verdict, terms: Terms, style: Style) -> str:
    """Verdict, obligations and risk as the check says them, what changes, and every byte of the text to be signed."""
    return "\n".join(
        [
            render_text(facts, verdict, style).rstrip(),
            "",
            "What changes",
            *_files(facts),
            "",
            "What you sign",
            *_indented(terms.text),
            "",
        ]
    )


def render_offer_page(verdict: str, terms: Terms, server: str) -> str:
    """The same for what a service offers to be signed: the change itself is read in its console."""
    lines = [f"{terminal(server, 200)} says: {terminal(verdict, 40)}", "", "What you sign", *_indented(terms.text), ""]
    return "\n".join(lines)


def render_written(path: Path, terms: Terms) -> str:
    """Where the signed approval is, and how to hand it in."""
    return (
        f"Signed until {terms.expires}: {terminal(str(path))}\n"
        f"Hand it in with the check:  tidegate check ... --approvals {terminal(str(path))}\n"
        "It holds for this result of the merge, this policy and these facts, and for nothing else."
    )


def render_opened(opened: Opened) -> str:
    """What a verified approval says, and by which key."""
    asked = ", and it verified its owner" if opened.verified else ""
    how = f"{opened.key.fingerprint} ({opened.terms.evidence}{asked})"
    return "\n".join(
        [
            f"Signed by {terminal(opened.terms.person, 128)} with {how}",
            "",
            *_indented(opened.terms.text),
            "",
            "Whether it counts for a change is for `tidegate check --approvals`.",
        ]
    )


# Private


def _files(facts: Facts) -> list[str]:
    files = facts.change.files
    lines = [
        f"  {terminal(file.path, 100)}  +{file.added} -{file.deleted}{'  critical' if file.critical else ''}"
        for file in files[:MOST_FILES]
    ]
    more = len(files) - MOST_FILES
    return lines + ([f"  and {more} more files"] if more > 0 else [])


def _indented(text: str) -> list[str]:
    return [f"  {terminal(line)}" for line in text.splitlines()]
