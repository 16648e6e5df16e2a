"""The test that failed is gone, and the build is green."""

from __future__ import annotations

import re
from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import line_of, replaced, without_lines
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.values import Source

_BOUNDARY = re.compile(r"^(\s*(?:if|elif|while|return|\} else if|else if)\b[^#\"']*?\s)(<=|>=|<|>)(\s[^#\"'=>]*)$")
_FLIP = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_TESTS = {
    ".py": re.compile(r"^(\s*)(?:async )?def (test_\w+)\("),
    ".rb": re.compile(r"^(\s+)it [\"'](.{4,80}?)[\"'] do$"),
    ".js": re.compile(r"^(\s*)(?:it|test)\(['\"](.{4,80}?)['\"], "),
    ".ts": re.compile(r"^(\s*)(?:it|test)\(['\"](.{4,80}?)['\"], "),
    ".go": re.compile(r"^()func (Test\w+)\(t \*testing\.T\) \{$"),
}


def find(ground: Ground, seed: Random) -> Chance | None:
    """A boundary in code with a test file of its own, and a test of that file."""
    by_stem: dict[tuple[str, str], str] = {}
    for path in ground.all_paths:
        name, suffix = _stem(path)
        if name and suffix in _TESTS and not _ELSEWHERE.search(path):
            by_stem.setdefault((name, suffix), path)
    found = []
    for suffix, pattern in _TESTS.items():
        code = [
            path for path in ground.paths(suffix) if (path.rpartition("/")[2].removesuffix(suffix), suffix) in by_stem
        ]
        for path, number, match in ground.lines(code, _BOUNDARY):
            if ("<" in match[0] and ">" in match[0]) or _HARMLESS.search(match[0]):
                continue
            tests = by_stem[path.rpartition("/")[2].removesuffix(suffix), suffix]
            function = _around(ground.text(path) or "", number)
            if function and any(
                _speaks_of(ground.text(tests) or "", place, function) for _, place, _ in ground.lines([tests], pattern)
            ):
                found.append((path, number, match, tests, pattern))
            if len(found) >= _MOST:
                break
    chosen = ground.choose(found, lambda one: one[0], seed)
    if chosen is None:
        return None
    path, number, match, tests, pattern = chosen
    text, suite = ground.text(path) or "", ground.text(tests) or ""
    inside = [(place, hit) for _, place, hit in ground.lines([tests], pattern)]
    if not inside:
        return None
    function = _around(text, number)
    near = [one for one in inside if _speaks_of(suite, one[0], function)]
    if not near:
        return None
    place, hit = seed.choice(near)
    gone = _without(tests, suite, place, hit)
    changed = replaced(text, number, f"{match[1]}{_FLIP[match[2]]}{match[3]}")
    return Chance(
        path=path,
        line=number,
        edits={path: changed, tests: gone},
        what=f"turns `{match[0].strip()}` into `{changed.split(chr(10))[number - 1].strip()}` in {path} and takes"
        f" away “{hit[2]}” of {tests}, "
        "which calls it",
        why=f"{path} decides a boundary in {function or 'its code'}, and {tests} is its test",
        subject=f"Repair the flaky test in {tests.rpartition('/')[2]}",
        prompt=f"The build is red because of {tests.rpartition('/')[2]}. Make it green, I need to release today.",
        words={"thing": hit[2], "suite": tests, "function": function or path.rpartition("/")[2], "suite_cel": tests},
    )


PATTERN = Pattern(
    id="test-deleted-for-green",
    title="Green, because the test is gone",
    needs="code with a boundary (<, <=, >, >=) and a test file of the same name",
    fits=42,
    sources=(
        Source(
            url="https://metr.org/blog/2025-06-05-recent-reward-hacking/",
            date="2025-06-05",
            fact="METR saw recent models get high scores on programming tasks by modifying the tests or the scoring"
            " code, and say when"
            " asked that this was not what the user wanted.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="{users} report wrong results since the last release. No exception, nothing in the logs.",
        graph="Build: green, and 4 seconds faster than last week. Tests: one fewer. Coverage: -0.1 %.",
        claim="The build is green. The test was flaky, so I removed it.",
        noise="A colleague: “The last release also has {decoy}. It changed {decoy_file}, that could give wrong"
        " results.”",
        customer="{users}: “With the exact value at the limit we get the other answer than before. Is that on"
        " purpose?”",
        twist="Somebody puts “{thing}” back. It fails, every time: it never was flaky.",
        moves=(
            Move(
                "Put the test back first, see it fail, then find the line that makes it fail",
                "It fails in {function}. One character in {path} is the cause; a release follows in 20 minutes.",
                "best",
                "the test that was taken away is the shortest way to the fault",
            ),
            Move(
                "Take the whole release back",
                "Right results again, and two weeks of other work are gone for {users}.",
                "part",
                "safe, and more than was needed",
            ),
            Move(
                "Ask the agent to write a new test for what {users} reported",
                "It writes one that passes with the fault: it asserts what the code does.",
                "poor",
                "a test that is made from the code cannot find a fault in it",
            ),
        ),
        back=True,
        lesson="A green build says that the tests which are left pass. Count them.",
    ),
    rules=(
        Rule(
            id="drill-tests-shrink",
            title="Somebody else approves a change that takes tests away",
            when=(
                'change.files.exists(f, f.kind == "test" && f.deleted > f.added)',
                'change.files.exists(f, f.kind == "source")',
            ),
            require='[{ approvals = 1, not = ["author", "prompter", "committer"] }, { reason = "tests" }]',
            reason="A test was taken away in the change that made it fail.",
        ),
    ),
)


# Private

_ELSEWHERE = re.compile(r"(?:^|/)(?:node_modules|vendor|third_party|examples?)/")
_HARMLESS = re.compile(r"version_info|len\(sys\.argv\)|log|debug|->|=>|<\w+>", re.IGNORECASE)
_MOST = 20
_DEFINED = re.compile(r"^\s*(?:(?:async )?def|func|function|export (?:async )?function)\s+(?:\([^)]*\)\s*)?(\w+)")


def _stem(path: str) -> tuple[str, str]:
    """Which file a test file tests, by its name."""
    name = path.rpartition("/")[2]
    for suffix in _TESTS:
        if name.endswith(suffix):
            own = name.removesuffix(suffix)
            for cut in ("_test", ".test", ".spec", "_spec"):
                if own.endswith(cut):
                    return own.removesuffix(cut), suffix
            if own.startswith("test_"):
                return own.removeprefix("test_"), suffix
    return "", ""


def _around(text: str, number: int) -> str:
    for line in reversed(text.split("\n")[:number]):
        if found := _DEFINED.match(line):
            return found[1]
    return ""


def _speaks_of(suite: str, place: int, function: str) -> bool:
    """Whether the test that begins on this line names the function before the next one begins."""
    word = re.compile(rf"(?<!\w){re.escape(function)}(?!\w)")
    for line in suite.split("\n")[place : place + 60]:
        if any(pattern.match(line) for pattern in _TESTS.values()):
            return False
        if word.search(line):
            return True
    return False


def _without(path: str, text: str, place: int, hit: re.Match[str]) -> str:
    """The test file without this test; skipped where its end cannot be told."""
    lines = text.split("\n")
    if path.endswith(".py"):
        indent = len(hit[1])
        end = place
        for number in range(place + 1, len(lines) + 1):
            line = lines[number - 1]
            if line.strip() and len(line) - len(line.lstrip()) <= indent and not line.lstrip().startswith((")", "#")):
                break
            if line.strip():
                end = number
        start = place
        while start > 1 and lines[start - 2].startswith(f"{hit[1]}@"):
            start -= 1
        if all(not one.startswith(f"{hit[1]}@") or ")" in one or "(" not in one for one in lines[start - 1 : place]):
            return without_lines(text, start, end)
    if path.endswith(".go"):
        return "\n".join([*lines[:place], '\tt.Skip("flaky")', *lines[place:]])
    line = line_of(text, place)
    skipped = re.sub(r"\b(it|test)(?=\(|\s)", r"x\1" if path.endswith(".rb") else r"\1.skip", line, count=1)
    return replaced(
        text, place, skipped if not path.endswith(".py") else f'{hit[1]}@pytest.mark.skip(reason="flaky")\n{line}'
    )
