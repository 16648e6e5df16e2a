"""The same small change in many places, and wrong in one."""

from __future__ import annotations

import re
from random import Random
from typing import NamedTuple

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import line_of, replaced
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.values import Source

_PYTHON = re.compile(r"^(\s*(?:if|elif|while) )([a-z_][\w.]{0,60}) is (not )?None(:)$")
_SCRIPT = re.compile(r"^(\s*(?:\} else )?if \()([a-z_][\w.]{0,60}) (!==|===) (?:undefined|null)(\) .*)$", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?:^|[._])(?:\w*(?:count|timeout|limit|offset|index|idx|size|length|width|height|max|min|port|code|status|delay|interval|default|value|level|weight|score|amount|retries|number|num|page|position|depth|expires|age))$",
    re.IGNORECASE,
)
MOST = 12


class _Site(NamedTuple):
    path: str
    line: int
    name: str
    new: str


def find(ground: Ground, seed: Random) -> Chance | None:
    """Comparisons with nothing that become questions of truth, among them one of something that may be 0 or empty."""
    sites = [_python(path, number, match) for path, number, match in ground.lines(ground.paths(".py"), _PYTHON)]
    sites += [
        _script(path, number, match)
        for path, number, match in ground.lines(ground.paths(".ts", ".js", ".tsx"), _SCRIPT)
    ]
    wrong = ground.choose([site for site in sites if _NUMBER.search(site.name)], lambda one: one.path, seed)
    if wrong is None or len(sites) < 4:
        return None
    suffix = wrong.path[wrong.path.rfind(".") :]
    others = [
        site
        for site in sites
        if site.path.endswith(suffix) and not _NUMBER.search(site.name) and site.path != wrong.path
    ]
    several = [wrong, *_spread(others)]
    edits: dict[str, str | None] = {}
    for site in several:
        text = edits.get(site.path) or ground.text(site.path) or ""
        edits[site.path] = replaced(text, site.line, site.new)
    old = line_of(ground.text(wrong.path) or "", wrong.line).strip()
    return Chance(
        path=wrong.path,
        line=wrong.line,
        edits=edits,
        what=f"simplifies {len(several)} comparisons in {len(edits)} {'file' if len(edits) == 1 else 'files'}; in"
        f" {wrong.path} “{old}” becomes"
        f" “{wrong.new.strip()}”, and there {wrong.name} may rightly be 0 or empty",
        why=f"{len(sites)} places compare with nothing in the same way, and {wrong.name} in {wrong.path} may be 0 or"
        f" empty",
        subject="Simplify comparisons with None" if suffix == ".py" else "Simplify comparisons with undefined",
        prompt="Simplify comparisons all over the code base, no change of behaviour.",
        words={"thing": wrong.name, "places": str(len(several))},
    )


PATTERN = Pattern(
    id="refactor-one-wrong-case",
    title="The same change in many places, and wrong in one",
    needs="Python, JavaScript or TypeScript that compares with None, null or undefined in many places",
    fits=45,
    sources=(
        Source(
            url="https://www.debian.org/security/2008/dsa-1571",
            date="2008-05-13",
            fact="A small change that Debian made to its OpenSSL, after a tool's warning, took out what fed its"
            " random numbers. From"
            " 2006-09-17 on, keys made with it could be guessed, and all of them had to be made anew (CVE-2008-0166).",
        ),
    ),
    find=find,
    tale=Tale(
        alert="{users} report that a value of 0 is treated as if it were not there. Since the last release, no"
        " exception.",
        graph="Everything as always. One line that nobody looks at, results with {thing} of 0, has gone to none.",
        claim="{places} comparisons are simpler now. No change of behaviour; all tests pass.",
        noise="A colleague: “{decoy} is in there too, and it changed {decoy_file}. That one has logic in it.”",
        customer="{users}: “If I set it to 0, I get the default. That cannot be meant?”",
        twist="The change touches many files and five things were built on it since: it cannot be taken back cleanly.",
        moves=(
            Move(
                "Write the test with 0 first, see it fail, then go through every place of the change with that"
                " question",
                "The test finds {thing}; the reading finds a second place that nobody had reported yet.",
                "best",
                "the fault has a shape, and where it was once it may be again",
            ),
            Move(
                "Mend the one place that was reported",
                "The report is closed. The next one comes in a fortnight.",
                "part",
                "it mends what is known, and nobody has read the others",
            ),
            Move(
                "Let the agent review its own change",
                "It says that all comparisons are equivalent.",
                "poor",
                "it said so before",
            ),
        ),
        back=True,
        lesson="Nobody reads the fortieth line of forty alike with the care of the first. Size, not difficulty, hid"
        " the fault.",
    ),
    rules=(
        Rule(
            id="drill-wide-and-shallow",
            title="A change of many files by an agent is split or read by two",
            when=(
                "size(provenance.agents) > 0 || size(provenance.declarations) > 0",
                "change.source_files > 5",
            ),
            require='[{ approvals = 2, not = ["author", "prompter", "committer"] }]',
            reason="The same small change was wrong in one of many places.",
        ),
        Rule(
            id="drill-many-files",
            title="A change of more than ten source files is approved by its owners",
            when=("change.source_files > 10",),
            require='[{ approvals = 1, from = "owners", not = ["author", "prompter", "committer"] }]',
            reason="The same small change was wrong in one of many places.",
        ),
    ),
)


# Private


def _python(path: str, number: int, match: re.Match[str]) -> _Site:
    head = match[1] if match[3] else f"{match[1]}not "
    return _Site(path, number, match[2], f"{head}{match[2]}{match[4]}")


def _script(path: str, number: int, match: re.Match[str]) -> _Site:
    head = match[1] if match[3] == "!==" else f"{match[1]}!"
    return _Site(path, number, match[2], f"{head}{match[2]}{match[4]}")


def _spread(sites: list[_Site]) -> list[_Site]:
    """Some of them, of as many files as there are."""
    by_path: dict[str, _Site] = {}
    for site in sites:
        by_path.setdefault(site.path, site)
    return list(by_path.values())[: MOST - 1]
