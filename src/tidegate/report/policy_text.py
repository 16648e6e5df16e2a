"""Rules, tests of rules and pages as calm text of at most 80 columns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from tidegate.policy.case import count, one_line
from tidegate.policy.lint import Remark
from tidegate.policy.rules import PACK_ORIGIN, Policy, Rule
from tidegate.policy.trial import Mutant, TrialResult

WIDTH = 80


def render_remarks(remarks: Sequence[Remark], rules: int) -> str:
    """What `policy lint` says."""
    lines = [_wrapped(one_line(str(remark), 600), "  ") for remark in remarks]
    errors = sum(remark.level == "error" for remark in remarks)
    warnings = len(remarks) - errors
    lines.append(f"{count(rules, 'rule')} of this repository, {count(errors, 'error')}, {count(warnings, 'warning')}")
    return "\n".join(lines)


def render_trials(results: Sequence[TrialResult], untested: Sequence[str]) -> str:
    """What `policy test` says: every test, then what no test names."""
    lines = []
    for result in results:
        lines.append(f"{'FAIL' if result.problems else 'ok  '}  {one_line(result.name, 70)}")
        lines += [_wrapped(one_line(problem, 300), "      ", first="      ") for problem in result.problems]
    failed = sum(bool(result.problems) for result in results)
    lines.append(f"{count(len(results), 'test')}, {failed} failed")
    if untested:
        lines.append(_wrapped(f"no test names {', '.join(untested)}", "  "))
    return "\n".join(lines)


def render_mutants(mutants: Sequence[Mutant]) -> str:
    """What `policy test --mutate` adds: changes to the rules that no test notices."""
    lines = [f"changes to the rules that no test notices: {len(mutants)}"]
    for mutant in mutants:
        lines.append(f"  {mutant.rule}, {mutant.change}")
        if mutant.text:
            lines.append(f"      {one_line(mutant.text, 200)}")
    return "\n".join(lines)


def render_rules(policy: Policy) -> str:
    """Every rule that applies, one line for what it does and one for what it asks."""
    lines = [_wrapped(f"{len(policy.rules)} rules: {policy.origin}", "  "), f"policy {policy.digest[:16]}", ""]
    for rule in policy.rules:
        mode = "" if rule.mode == "enforce" else f", {rule.mode}"
        lines.append(f"{rule.id}  ({rule.effect}{mode})")
        lines.append(_wrapped(one_line(rule.title, 300), "  ", first="  "))
        if rule.origin not in (policy.origin, PACK_ORIGIN):
            lines.append(_wrapped(one_line(rule.origin, 300), "  ", first="  "))
    return "\n".join(lines)


def render_rule(rule: Rule) -> str:
    """One rule in full."""
    lines = [f"{rule.id}  ({rule.effect}, {rule.mode})", _wrapped(one_line(rule.title, 300), "  ", first="  "), ""]
    lines.append(f"applies when {'all' if rule.quantifier == 'all' else 'any'} of these are true or cannot be told:")
    lines += [f"  {one_line(condition.text, 2000)}" for condition in rule.conditions]
    if rule.requirements:
        lines.append("and asks for:")
        lines += [_wrapped(one_line(r.text, 300), "    ", first="  - ") for r in rule.requirements]
    facts = (
        ("when it cannot be told", rule.on_unknown),
        ("why", rule.reason),
        ("owner", rule.owner),
        ("since", rule.since),
        ("until", rule.until),
        ("from", rule.origin),
    )
    lines += [_wrapped(f"{name}: {one_line(value, 600)}", "  ") for name, value in facts if value]
    return "\n".join(lines)


def render_pages(pages: Mapping[str, str]) -> str:
    """What `tidegate explain` lists: every id with the sentence that its page begins with."""
    width = max(map(len, pages), default=0)
    return "\n".join(
        _wrapped(_plain(_sentence(page)), " " * (width + 2), first=id_.ljust(width + 2)) for id_, page in pages.items()
    )


def render_page(markdown: str) -> str:
    """A page of `tidegate explain`: Markdown without its marks, wrapped."""
    return "\n".join(_page_lines(markdown)).strip("\n")


# Private


def _wrapped(text: str, indent: str, first: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _sentence(markdown: str) -> str:
    paragraph = markdown.partition("\n")[2].strip().partition("\n\n")[0].partition("\n#")[0]
    return re.split(r"(?<=\.)\s", " ".join(paragraph.split()))[0]


def _page_lines(markdown: str) -> Iterator[str]:
    paragraph: list[str] = []
    code = False
    for line in [*markdown.splitlines(), ""]:
        fence = line.startswith("```")
        starts = fence or not line.strip() or re.match(r"#|\s*[-*] |\s*\d+\. |\||    ", line)
        if paragraph and (starts or code):
            yield _paragraph(paragraph)
            paragraph = []
        if fence:
            code = not code
        elif code:
            yield f"    {line}"
        elif line.startswith("#"):
            title = _plain(line.lstrip("# "))
            yield from (title, ("=" if line.startswith("# ") else "-") * len(title))
        elif line.startswith(("|", "    ")) and not paragraph:
            yield _plain(line)
        elif line.strip():
            paragraph.append(line)
        else:
            yield ""


def _paragraph(lines: Sequence[str]) -> str:
    """A paragraph or an item of a list, wrapped under its own first word."""
    item = re.match(r"\s*(?:[-*] |\d+\. )?", lines[0])
    mark = item[0] if item else ""
    words = [lines[0][len(mark) :], *(line.strip() for line in lines[1:])]
    return _wrapped(_plain(" ".join(words)), " " * len(mark), first=mark)


def _plain(text: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\(([^)]*)\)", r"\1 (\2)", text)
    return re.sub(r"\*\*([^*]+)\*\*|`([^`]+)`", lambda m: m[1] or m[2], text)
