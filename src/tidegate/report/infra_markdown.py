"""What a change does to infrastructure as Markdown: a comment of its own, and the part of a check's comment."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.facts import Effect, Infra
from tidegate.report.escape import code, markdown
from tidegate.report.infra_words import HEAD, asked, details, headline, word_of

MARKER = "<!-- tidegate:infra -->"
"""How the comment is found again, to be edited instead of repeated."""
_MOST = 40


def render_infra_markdown(infra: Infra) -> str:
    """A comment on a pull request. Begins with the hidden marker."""
    word = word_of(infra)
    lines = [MARKER, f"### Tidegate, infrastructure: {HEAD[word]}", "", markdown(headline(infra), 600)]
    if who := asked(infra):
        lines += ["", markdown(who, 300)]
    items = [*_effects(infra), *_others(infra)]
    left = len(items) - _MOST
    lines += ["", *items[:_MOST]] + ([f"- and {left} more"] if left > 0 else [])
    return "\n".join(lines) + "\n"


def infra_items(infra: Infra) -> tuple[str, ...]:
    """The part of a check's page: a head, then one item for each effect and for what cannot be judged."""
    reasons = [unknown.reason for unknown in infra.unknowns]
    if reasons == ["not collected"]:
        return ()
    if infra.status != "complete":
        return (f"\n**Infrastructure** unknown: {markdown(headline(infra), 600)}\n",)
    items = [f"{item}\n" for item in (*_effects(infra), *_others(infra))]
    return (f"\n**Infrastructure** {markdown(headline(infra), 300)}\n\n", *items) if items else ()


# Private


def _effects(infra: Infra) -> Iterator[str]:
    for effect in infra.effects:
        yield _effect(effect)


def _effect(effect: Effect) -> str:
    said = f"- **{effect.severity}** {code(effect.address, 200)} {markdown(effect.reason, 900)}"
    below = [f"  - {name}: {markdown(words, 600)}" for name, words in details(effect)]
    return "\n".join([said, *below])


def _others(infra: Infra) -> Iterator[str]:
    for one in infra.unjudged:
        mend = f" Next: {markdown(one.mend, 300)}" if one.mend else ""
        yield f"- **cannot judge** {code(one.address, 200)} {markdown(one.reason, 600)}{mend}"
    for drift in infra.drift:
        undone = "; this change undoes it" if drift.undone else ""
        yield f"- **drift** ({drift.kind}) {code(drift.address, 200)} {markdown(drift.reason, 600)}{undone}"
