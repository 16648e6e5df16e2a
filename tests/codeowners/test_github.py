"""CODEOWNERS as GitHub reads it: docs.github.com "About code owners", and hmarr's verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.change import owner_patterns
from tidegate.change.codeowners import LARGEST_BYTES, Owners, parse_codeowners


def read(text: str) -> Owners:
    return parse_codeowners(text.encode(), "github", ".github/CODEOWNERS")


def owners_of(owners: Owners, path: str) -> tuple[str, ...] | None:
    """The owners, () for deliberately unowned, None for a file that no line matches."""
    found = owners.owners_of(path.encode())
    return found[0].owners if found else None


@pytest.mark.conformance
def test_all_verdicts_of_hmarr_hold(data: Path) -> None:
    cases = json.loads((data / "policy" / "codeowners" / "hmarr-patterns.json").read_text("utf-8"))
    wrong, asked = [], 0
    for case in cases:
        owners = read(f"{case['pattern']} @owner\n")
        for path, expected in case["paths"].items():
            asked += 1
            if (owners_of(owners, path) == ("@owner",)) is not expected:
                wrong.append((case["pattern"], path, expected))
    assert wrong == []
    assert asked == 153


DOCUMENTED = """\
# a comment
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README", ("@global-owner1", "@global-owner2")),
        ("src/deep/down/file.rb", ("@global-owner1", "@global-owner2")),
        ("src/app.js", ("@js-owner",)),
        ("cmd/main.go", ("docs@example.com",)),
        ("notes.txt", ("@octo-org/octocats",)),
        ("build/logs/today", ("@octocat",)),
        ("build/logs/deep/today", ("@octocat",)),
        ("other/build/logs", ("@octocat",)),
        ("docs/getting-started.md", ("@doctocat",)),
        ("docs/build-app/troubleshooting.md", ("@doctocat",)),
        ("lib/apps/x", ("@octocat",)),
        ("apps/web/x", ("@octocat",)),
        ("apps/github", ()),
        ("apps/github/x", ()),
        ("scripts/run", ("@doctocat", "@octocat")),
        ("deeply/nested/logs", ("@octocat",)),
    ],
)
def test_the_documented_file(path: str, expected: tuple[str, ...]) -> None:
    owners = read(DOCUMENTED)
    assert owners.findings == ()
    assert owners_of(owners, path) == expected


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("docs/*", "docs/getting-started.md", True),
        ("docs/*", "docs/build-app/troubleshooting.md", False),
        ("docs/*", "lib/docs/a.md", False),
        ("apps/", "apps", False),
        ("apps/", "a/b/apps/c/d", True),
        ("/docs/", "lib/docs/x", False),
        ("/*", "a", True),
        ("/*", "a/b", False),
        ("*", ".hidden/file", True),
        ("*.js", "a.js/inside", True),
        ("*.js", "a.jsx", False),
        ("*_test.go", "pkg/x_test.go", True),
        ("*_test.go", "pkg/test.go", False),
        ("a?c", "aéc", True),
        ("a?c", "a/c", False),
        ("Src/", "src/x", False),
        (r"with\ space/", "with space/x", True),
        ("**", "any/where", True),
        ("a/**", "a/b/c", True),
        ("a/**", "a", False),
        ("/a/**/z", "a/z", True),
        ("/a/**/z", "a/b/c/z/inside", True),
        ("/a/**/z", "b/a/z", False),
        ("src/**/*.py", "src/x.py", True),
        ("src/**/*.py", "src/a/b/x.py", True),
        ("src/**/*.py", "lib/src/x.py", False),
        ("[ab].md", "a.md", False),
        ("[ab].md", "[ab].md", True),
        ("a+b", "aab", False),
        ("{a,b}", "a", False),
        ("a.b", "axb", False),
        ("x\ty", "x", True),
        ("src//lib", "src/lib", True),
        ("a*b*c", "axxbyyc", True),
        ("a**c", "a/c", False),
    ],
)
def test_a_pattern(pattern: str, path: str, matches: bool) -> None:
    assert bool(read(f"{pattern} @owner\n").owners_of(path.encode())) is matches


def test_the_last_line_that_matches_decides() -> None:
    owners = read("* @all\n*.py @python\n/src/ @src\n/src/gen.py\n")
    assert owners_of(owners, "a.py") == ("@python",)
    assert owners_of(owners, "src/a.py") == ("@src",)
    assert owners_of(owners, "src/gen.py") == ()
    assert owners_of(owners, "b") == ("@all",)


def test_a_file_that_no_line_matches_is_not_the_same_as_one_without_owners() -> None:
    owners = read("/src/ @src\n/src/gen/\n")
    assert owners_of(owners, "README") is None
    assert owners_of(owners, "src/gen/x") == ()


def test_bytes_that_are_not_utf8_in_a_path_are_matched() -> None:
    owners = read("*.c @c\n/d?r/ @d\n")
    assert owners.owners_of(b"caf\xe9.c")[0].owners == ("@c",)
    assert owners.owners_of(b"d\xe9r/x")[0].owners == ("@d",)
    assert owners.owners_of(b"new\nline.c")[0].owners == ("@c",)


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_a_line() -> None:
    owners = parse_codeowners(b"\xef\xbb\xbf*.py @python\r\n/docs/ @docs\r\n", "github", "CODEOWNERS")
    assert owners.findings == ()
    assert owners_of(owners, "docs/x") == ("@docs",)
    assert owners_of(owners, "x.py") == ("@python",)


def test_an_owner_that_is_none_is_left_out_and_the_others_stay() -> None:
    owners = read("* @all\n/src/ @src bob @lib\n")
    assert [(f.rule, f.place.line) for f in owners.findings] == [("codeowners-invalid-owner", 2)]
    assert owners_of(owners, "src/x") == ("@src", "@lib")
    assert owners.owners_of(b"src/x")[0].doubt == ""


def test_a_line_that_keeps_no_owner_leaves_a_doubt_instead_of_the_owners_before() -> None:
    owners = read("* @all\n/secrets/ security-team\n")
    (ownership,) = owners.owners_of(b"secrets/key")
    assert ownership.owners == ()
    assert "security-team is not an owner" in ownership.doubt
    assert owners_of(owners, "README") == ("@all",)


@pytest.mark.parametrize("line", ["!docs/ @a", "/ @a", "//", "\\", "\\#docs @a", "a\0b @a"])
def test_a_pattern_that_github_does_not_have_leaves_every_file_in_doubt(line: str) -> None:
    owners = read(f"* @all\n{line}\n/settled/ @after\n")
    assert [(f.rule, f.place.line) for f in owners.findings] == [("codeowners-invalid-pattern", 2)]
    assert owners.owners_of(b"README")[0].doubt
    assert owners.owners_of(b"settled/x")[0].doubt == ""


def test_a_line_that_is_not_utf8_leaves_a_doubt() -> None:
    owners = parse_codeowners(b"* @all\ncaf\xe9/ @x\n", "github", "CODEOWNERS")
    assert owners.findings[0].place.line == 2
    assert owners.owners_of(b"README")[0].doubt


def test_a_file_that_is_too_large_is_not_used_and_every_owner_is_in_doubt() -> None:
    owners = parse_codeowners(b"* @all\n" + b"#" * LARGEST_BYTES, "github", "CODEOWNERS")
    assert [f.rule for f in owners.findings] == ["codeowners-too-large"]
    assert owners.owners_of(b"README")[0].doubt


@pytest.mark.parametrize("unit", ["?", "*a", "/**", "é", "a/?*"])
def test_the_longest_pattern_is_answered_and_a_longer_one_refused(unit: str) -> None:
    longest = (unit * owner_patterns.LONGEST)[: owner_patterns.LONGEST]
    owners = read(f"{longest} @x\n{longest}a @y\n")
    assert [f.place.line for f in owners.findings] == [2]
    alone = read(f"{longest} @x\n")
    for path in (b"a" * 4096, b"a/" * 2000 + b"a", "é".encode() * 4096):
        alone.owners_of(path)


@given(
    pattern=st.text(alphabet="ab*/?.", min_size=1, max_size=10).filter(lambda p: p.strip("/")),
    path=st.text(alphabet="ab/.", min_size=1, max_size=10).filter(lambda p: "//" not in p and p.strip("/") == p),
)
@settings(max_examples=500, deadline=None)
def test_looking_a_pattern_up_answers_as_matching_it_does(pattern: str, path: str) -> None:
    segments = [s for s in pattern.split("/") if s]
    parts = segments if "/" in pattern.rstrip("/") else ["**", *([] if segments == ["**"] else segments)]
    parts += ["**"] if pattern.endswith("/") else []
    regex = owner_patterns._github_regex(parts).encode("ascii")
    expected = re2.compile(regex, owner_patterns._options()).fullmatch(path.encode()) is not None
    assert bool(read(f"{pattern} @owner").owners_of(path.encode())) is expected
