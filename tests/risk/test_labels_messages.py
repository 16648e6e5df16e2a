"""What is a fix and what only calls itself one; issue keys; commits that messages name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.risk.labels.issues import advisories, closed_issues, fixed_issues, issue_keys
from tidegate.risk.labels.messages import is_fix
from tidegate.risk.labels.named import blamed_commits, picked_from

FIXES = [
    "Fix crash on empty input",
    "fix: handle empty input",
    "fix(parser)!: handle empty input",
    "fix:no space after the colon",
    "hotfix: broken login",
    "BUG: wrong axis in sum",
    "[BUGFIX] Wrong axis",
    "🐛 the list is sorted twice",
    ":bug: the list is sorted twice",
    "net: Fixed a leak of sockets",
    "x86/mm: Fix overflow in the page walk",
    "Fixed #12345 -- Made aggregates work with an empty group.",
    "gh-1234: Fix a race in the importer (#1235)",
    "Avoid NullPointerException in Cache.get",
    "Prevent deadlock when the pool is closed",
    "Don't crash when the file is missing",
    "Recover from one more getsockname crash.",
    "Correct handling of negative zero",
    "LANG-1234: StringUtils.join throws NullPointerException",
    "CVE-2024-12345: limit recursion",
    "Handle names in UTF-8\n\nFixes #99",
    "Handle `match`\n\nFixes https://github.com/owner/name/issues/6752.",
    "Fix test client cookie handling",
    "Fix build_ext on Windows paths",
    "Fix redis-benchmark --cluster with IPv6. (#10393)",
    "fixed return value of HashGet (and a slight error in the documentation)",
    "Fix typo causing NameError in the loader",
    "The cache is locked twice\n\nThis fixes a serious bug.",
    "Merge commit from fork\n\n* fix(cors): stop reading the Vary header",
]
TRAPS = [
    "Fix typo",
    "Fix typos in comments",
    "fix: typo in README",
    "Fixed mispelled var name",
    "Fix grammar",
    "Fix whitespace",
    "Fix indentation of the loop",
    "Fix formatting",
    "Fix flake8 errors",
    "fix lint",
    "Fixes for clippy",
    "Fix pylint warnings",
    "Fix mypy",
    "Fix docs",
    "Doc fixes",
    "Fix Builder.proxy doc (#3871)",
    "Update docs to fix wording",
    "docs: fix the broken example",
    "Fix docstring of open()",
    "Fix broken links in the manual",
    "Fix changelog",
    "Mention required dependencies in docs (#77)\n\nFixes #76",
    "Fix out of date docs for `Json` (#871)",
    "Corrected Javadocs to say NumberFormatException",
    "Javadoc improvements, clean up and fix a missing </code> tag.",
    "Fixes outdated URL (`ISO8601Utils.java`)",
    "Bug in javadoc example",
    "fix(comment typo): (#959)",
    "Resolve clippies (#2843)",
    "Fixing compile error introduced after making variable final",
    "Save 20% of the allocations on bug 375",
    "Fix failing tests on Windows",
    "Fix flaky test",
    "bpo-123: Fix test_socket on Windows",
    "Fix a bug in the tests",
    "Add tests for the fix of #12",
    "test: fix the assertion",
    "Fix build",
    "Fix compile error on gcc 4",
    "Fix CMake on macOS",
    "Fix CI",
    "fix(ci): pin the action",
    "fix(deps): update dependency foo to v2",
    "ci: fix the cache key",
    "Workaround broken MinGW installation on AppVeyor (#355)",
    "Fix merge conflict",
    "Merge branch 'fix/crash' into main",
    "Merge pull request #12 from owner/fix-crash",
    "Fixes review comments",
    "Address review comments",
    "Fix nits",
    "Bump version to 1.2.3",
    "Bump foo from 1.2 to 1.3",
    "Release 2.0.1 with bug fixes",
    "fixup! Fix crash on empty input",
    "squash! Fix crash",
    "Add prefix to keys",
    "Add a fixture for the parser",
    "Use a fixed-width font",
    "Fixed width of the columns",
    "Use a fixed seed",
    "Add --fix option",
    "Add autofix for rule X",
    "Debug logging",
    "Add a bug report template",
    "feat: parse dates\n\nCloses #12",
    "chore: fix the release script",
    "refactor: split the module (closes #12)",
    "style: fix",
    "implements HINCRBY (todo: find and fix the leak)",
    'Revert "Revert "Add the cache""',
    'Reland "Add the cache"',
    'ci: add a check (#4)\n\n* ci: add\n* Revert "chore: try"\n\nThis reverts commit 0123456789abcdef.',
    "",
    "\n\n",
]


@pytest.mark.parametrize("message", FIXES)
def test_fixes_are_found(message: str) -> None:
    found = is_fix(message)
    assert found, found.why
    assert 0.4 <= found.confidence <= 0.95


@pytest.mark.parametrize("message", TRAPS)
def test_traps_are_none(message: str) -> None:
    found = is_fix(message)
    assert not found, found.why
    assert found.confidence == 0.0
    assert found.why


def test_the_source_tells_how_it_is_said() -> None:
    assert is_fix('Revert "Add the cache"').source == "revert"
    assert is_fix('Fix crash\n\nFixes: 54a4f0239f2e ("KVM: MMU")').source == "fixes-trailer"
    assert is_fix("Fix crash\n\nCloses #12").source == "issue-fix"
    assert is_fix("Fix crash\n\nCloses #12").issues == ("#12",)
    assert is_fix("Fix crash").source == "fix"


def test_a_trailer_on_a_text_fix_blames_nobody() -> None:
    assert not is_fix('docs: fix typo\n\nFixes: 54a4f0239f2e ("KVM: MMU")')


def test_what_says_little_is_less_sure() -> None:
    vague, beside, clear = is_fix("Minor fixes"), is_fix("Add colours, fix the prompt"), is_fix("fix: empty prompt")
    assert vague.confidence < beside.confidence or vague.confidence < clear.confidence
    assert beside.confidence < clear.confidence


@given(st.text(max_size=400))
def test_any_text_has_an_answer(text: str) -> None:
    found = is_fix(text)
    assert bool(found) == (found.source != "")
    assert issue_keys(text) == tuple(dict.fromkeys(issue_keys(text)))
    assert len(blamed_commits(text)) <= 50


@pytest.mark.parametrize(
    "word", ["a-", "fix ", "in the ", "#1, ", 'Revert "', "fixes #1 and ", "0123456 ", "(", "type: ", "=\n"]
)
def test_long_hostile_messages_take_little_time(word: str) -> None:
    import time

    start = time.process_time()
    is_fix("fix " + word * (8192 // len(word)))
    blamed_commits("regression in " + word * (8192 // len(word)))
    picked_from("(cherry picked from commit " + word * (8192 // len(word)))
    assert time.process_time() - start < 0.5


def test_issue_keys() -> None:
    message = (
        "Join PROJ-123, GH-4 and owner/name#7 (#99)\n\nAlso #12; not UTF-8, SHA-256, ISO-8859, CVE-2024-12345, a#1"
    )
    assert issue_keys(message) == ("PROJ-123", "GH-4", "owner/name#7", "#12")


def test_the_number_of_a_squashed_pull_request_is_no_issue() -> None:
    assert issue_keys("Add dates (#123)") == ()
    assert issue_keys("Merge pull request #123 from owner/branch") == ()
    assert issue_keys("Add dates (fixes #123)") == ("#123",)


def test_closing_keywords() -> None:
    assert closed_issues("Fixes #1, #2 and GH-3\nresolves: PROJ-4\nsee #5") == ("#1", "#2", "GH-3", "PROJ-4")
    assert fixed_issues("closes #1, fixes #2") == ("#2",)
    assert closed_issues("encloses #1") == ()
    assert closed_issues("Fixes UTF-8") == ()


def test_advisories() -> None:
    assert advisories("CVE-2024-12345, cwe-79 and GHSA-abcd-1234-ef56") == ("CVE-2024-12345", "GHSA-ABCD-1234-EF56")


@pytest.mark.parametrize(
    "message",
    [
        'Fixes: 54a4f0239f2e ("KVM: MMU: fix")',
        "Fixes: commit 54a4f0239f2e",
        "Fixes regression from 54a4f0239f2e",
        "Fix the leak introduced in 54a4f0239f2e.",
        "This was broken by commit 54a4f0239f2e",
        "Fix-up: a bug introduced by [54a4f0239f2e]",
        "The crash was caused by 54a4f0239f2e",
    ],
)
def test_blamed_commits(message: str) -> None:
    assert [named.oid for named in blamed_commits(f"Fix it\n\n{message}")] == ["54a4f0239f2e"]


@pytest.mark.parametrize(
    "message", ["Fixes: #12", "See 54a4f0239f2e", "Fixes 1234567 bugs is no id of ours", "since 2024-01-01"]
)
def test_what_blames_no_commit(message: str) -> None:
    assert all(named.oid.isdigit() for named in blamed_commits(message))


def test_picked_from() -> None:
    assert picked_from("Fix\n\n(cherry picked from commit 54A4F0239F2E)") == ("54a4f0239f2e",)
    assert picked_from("(backported from commit 54a4f0239f2e linux)") == ("54a4f0239f2e",)
    assert picked_from("cherry picked some commits") == ()
