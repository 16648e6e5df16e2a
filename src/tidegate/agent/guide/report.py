"""The answer for a person: the text, what writing it would change, and what the instructions are worth; and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate.agent.guide.judge import WORDS, Judged, Word, counts
from tidegate.agent.guide.targets import Target
from tidegate.agent.guide.values import Guidance
from tidegate.agent.install.plan import render_diff
from tidegate.facts import to_json
from tidegate.report.escape import terminal

SCHEMA = "tidegate.guide/1"
MOST_SHOWN = 8
MOST_CONTRADICTED = 40
_TITLES: dict[Word, str] = {
    "contradicts": "contradicted by what is here",
    "enforced": "enforced",
    "shown": "backed by something here, and not enforced",
    "unknown": "nothing here checks these; keep or drop them",
}


def text_answer(
    markdown: str,
    base: tuple[str, str],
    planned: Sequence[Target],
    judged: Sequence[Judged],
    *,
    everything: bool,
) -> str:
    """The whole answer, about 120 lines of text and what follows from it."""
    parts = [markdown.rstrip("\n"), "", f"-- compiled at {base[0][:12] or 'no commit'} ({terminal(base[1], 120)})"]
    for target in planned:
        parts += ["", *_target_lines(target)]
    if judged:
        parts += ["", *_judged_lines(judged, everything)]
    return "\n".join(parts)


def json_answer(guidance: Guidance, base: str, why: str, planned: Sequence[Target], judged: Sequence[Judged]) -> bytes:
    """The same as a document."""
    return to_json(
        {
            "schema": SCHEMA,
            "base": base,
            "base_because": why,
            "guidance": guidance,
            "files": [{"file": one.name, "state": one.state, "remark": one.said} for one in planned],
            "instructions": {"counts": counts(judged), "judged": list(judged)},
        }
    )


# Private


def _target_lines(target: Target) -> Iterator[str]:
    if target.said:
        yield f"-- {target.name}: {target.said}"
    elif target.change.before is None:
        yield f"-- {target.name} is not there; --write makes it, with what stands above"
    elif target.state == "absent":
        yield f"-- {target.name} has no block; --write adds what stands above at its end, and changes nothing else"
    else:
        yield f"-- --write would change {target.name}:"
        diff = render_diff((target.change,)).splitlines()
        yield from (terminal(line, 200) for line in diff[2:])


def _judged_lines(judged: Sequence[Judged], everything: bool) -> Iterator[str]:
    files = ", ".join(dict.fromkeys(terminal(one.path, 60) for one in judged))
    yield f"-- {len(judged)} instructions are there already ({files})"
    for word in WORDS:
        mine = [one for one in judged if one.word == word]
        if not mine:
            continue
        yield f"{len(mine)} {_TITLES[word]}:"
        shown = mine if everything else mine[: MOST_CONTRADICTED if word == "contradicts" else MOST_SHOWN]
        for one in shown:
            yield f"  {terminal(one.path, 60)}:{one.line}  {terminal(one.said, 110)}"
            if word != "unknown":
                yield f"      {one.why}{f': {one.evidence}' if one.evidence else ''}"
        if len(mine) > len(shown):
            yield f"  and {len(mine) - len(shown)} more: --all"
