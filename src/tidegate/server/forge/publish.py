"""What is said at a forge about an assessed change: a check and a comment, made of the facts and the verdict.

Titles, paths and messages come from whoever wrote the change: each goes through the one escaping of its sink.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from tidegate.facts import Facts
from tidegate.policy.verdict import Outcome, Verdict
from tidegate.report.escape import code, markdown, plain
from tidegate.report.markdown import MARKER, render_markdown
from tidegate.report.results import Level, Result, results
from tidegate.report.style import PLAIN
from tidegate.report.words import OUTCOMES, headline, stopping
from tidegate.server.forge.github_comments import LONGEST_COMMENT
from tidegate.server.forge.texts import fit
from tidegate.server.forge.values import Annotation, Check, Conclusion

MOST_ANNOTATIONS = 200
"""Four requests: GitHub counts each one against its limit for content that is made."""
_LONGEST_MESSAGE = 4000


class Said(Struct, frozen=True):
    """Where the check belongs and where more can be read. `key` names the decision; `url` is the change's page."""

    key: str
    head: str
    url: str


def make_check(facts: Facts, verdict: Verdict, said: Said) -> Check:
    """The check of a decision. Held is `action_required`, blocked is `failure`: no required check passes by them."""
    found = results(facts, verdict)
    placed = [result for result in found if result.place.path and plain(result.place.path) == result.place.path]
    shown = placed[:MOST_ANNOTATIONS]
    return Check(
        key=said.key,
        head=said.head,
        conclusion=_CONCLUSIONS[verdict.outcome],
        title=f"{OUTCOMES[verdict.outcome]}: {plain(headline(verdict))}",
        summary=_summary(verdict, len(found) - len(shown)),
        text=render_markdown(facts, verdict, PLAIN).removeprefix(f"{MARKER}\n"),
        url=said.url,
        annotations=tuple(_annotation(result) for result in shown),
    )


def make_waiting(check: Check, why: str) -> Check:
    """The same check before its verdict may be released: it concludes nothing, and shows no verdict."""
    summary = f"The change is assessed. {markdown(why)}\n"
    return replace(check, conclusion=None, title=plain(why), summary=summary, text="", annotations=())


def make_let_through(check: Check, until: str) -> Check:
    """The same check where two people broke the glass: it passes, says so first, and hides nothing of the verdict."""
    title = f"Let through by two people until {plain(until)}; {check.title}"
    summary = f"**Two people broke the glass: this state passes until {markdown(until)}.**\n\n{check.summary}"
    return replace(check, conclusion="success", title=title, summary=summary)


def make_unassessed(said: Said, why: str) -> Check:
    """The check of a head that could not be assessed: never a pass."""
    title = f"{OUTCOMES['hold']}: {plain(why)}"
    return Check(said.key, said.head, "action_required", title, f"{markdown(why)}\n", "", said.url)


def make_comment(facts: Facts, verdict: Verdict, said: Said) -> str:
    """The comment, which begins with the hidden marker and ends with the commit that it is about."""
    last = f"\n[Read and approve it here]({said.url})\n" if _is_address(said.url) else ""
    page = render_markdown(facts, verdict, PLAIN)
    return f"{fit(page, LONGEST_COMMENT - len(last.encode()))}{last}"


# Private

_CONCLUSIONS: Mapping[Outcome, Conclusion] = {"pass": "success", "hold": "action_required", "block": "failure"}
_LEVELS: Mapping[Level, Literal["notice", "warning", "failure"]] = {
    "block": "failure",
    "error": "failure",
    "warning": "warning",
    "note": "notice",
}


def _summary(verdict: Verdict, left: int) -> str:
    lines = [f"**{OUTCOMES[verdict.outcome]}.** {markdown(headline(verdict))}", ""]
    for group in stopping(verdict):
        lines.append(f"- {code(group.rule.id, 80)} {markdown(group.rule.title, 300)}")
        lines += [f"  - {markdown(obligation.text, 300) or 'not said'}" for obligation in group.unmet]
    if left:
        lines += ["", f"{left} more {'result is' if left == 1 else 'results are'} not shown as annotations."]
    return "\n".join(lines) + "\n"


def _annotation(result: Result) -> Annotation:
    message = plain(result.message, _LONGEST_MESSAGE)
    if result.mend:
        message += f"\nNext: {plain(result.mend, _LONGEST_MESSAGE)}"
    first = max(result.place.line, 1)
    level = _LEVELS[result.level]
    return Annotation(result.place.path, first, max(result.place.end_line, first), level, plain(result.rule), message)


def _is_address(url: str) -> bool:
    """Whether it can stand in a Markdown link; it is our own configuration, and nothing of a change is in it."""
    return url.startswith(("https://", "http://")) and not any(character in url for character in ' <>()[]\n\r\t\\"')
