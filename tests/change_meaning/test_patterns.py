"""Path patterns mean what they mean to git, and no pattern makes them slow."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.repos import Repo
from tidegate.change.patterns import compile_patterns
from tidegate.errors import InputError


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.py", b"a.py", True),
        ("*.py", b"deep/er/a.py", True),
        ("*.py", b"a.pyc", False),
        ("*.py", b"x.py/inside", True),
        ("/a.py", b"a.py", True),
        ("/a.py", b"sub/a.py", False),
        ("docs/", b"docs/a", True),
        ("docs/", b"docs", False),
        ("docs/", b"sub/docs/a", True),
        ("src/*.c", b"src/a.c", True),
        ("src/*.c", b"src/sub/a.c", False),
        ("src/*.c", b"x/src/a.c", False),
        ("a/**/b", b"a/b", True),
        ("a/**/b", b"a/x/y/b/c", True),
        ("**/auth/**", b"auth/x", True),
        ("**/auth/**", b"x/auth/y/z", True),
        ("**/auth/**", b"auth", False),
        ("**/auth/**", b"author/x", False),
        ("a**b", b"axxb", True),
        ("a**b", b"ax/xb", False),
        ("?.md", b"a.md", True),
        ("?.md", b"ab.md", False),
        ("[a-c]x", b"bx", True),
        ("[!a-c]x", b"bx", False),
        ("[!a-c]x", b"/x", False),
        ("z[!-~]z", b"z/z", False),
        ("[[:digit:]]", b"7", True),
        ("[]]", b"]", True),
        (r"[\]a]", b"]", True),
        (r"\!x", b"!x", True),
        (r"\*", b"*", True),
        (r"\*", b"a", False),
        ("A.py", b"a.py", False),
        ("caf\u00e9", "café".encode(), True),
        ("*", b"caf\xe9\n", True),
        ("#x", b"#x", True),
    ],
)
def test_one_pattern(pattern: str, path: bytes, expected: bool) -> None:
    patterns = compile_patterns([pattern])
    assert patterns.matches(path) is expected
    assert patterns.first(path) == (pattern if expected else "")


def test_the_last_pattern_that_matches_decides() -> None:
    patterns = compile_patterns(["*.py", "!test_*.py", "test_keep.py"])
    assert patterns.first(b"a.py") == "*.py"
    assert patterns.first(b"test_a.py") == ""
    assert not patterns.matches(b"test_a.py")
    assert patterns.first(b"test_keep.py") == "test_keep.py"
    assert patterns.last_index(b"test_a.py") == 1
    assert patterns.last_index(b"a.c") == -1


def test_an_empty_set_matches_nothing() -> None:
    assert not compile_patterns([]).matches(b"")
    assert compile_patterns([]).first(b"a") == ""


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("", "names no file"),
        ("/", "names no file"),
        ("[a", "nothing closes"),
        ("[z-a]", "runs backwards"),
        ("a\\", "escapes nothing"),
        ("[[:nope:]]", "no class"),
        ("x" * 1001, "longer than 1000"),
        ("a\0b", "names no file"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_named(pattern: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as error:
        compile_patterns(["ok", pattern], where="the setting files.tests")
    assert error.value.where == "the setting files.tests"
    assert error.value.mend


_WORD = st.text(alphabet="ab.*?/-!", min_size=1, max_size=7)
_CLASS = st.sampled_from(["[ab]", "[!a]", "[^b]", "[a-b]", "[]a]", "[[:alpha:]]", r"\*", r"\a", "**", "**/", "/**"])


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(parts=st.lists(st.one_of(_WORD, _CLASS), min_size=1, max_size=4))
def test_git_ignores_the_same_files(parts: list[str], ignoring: Repo) -> None:
    pattern = "".join(parts).removeprefix("!")
    # For `**` beside a letter git before 2.40 compares unrelated addresses (wildmatch.c, prev_p): its answer varies.
    assume(re.search(r"[^/]\*\*|\*\*[^/]", pattern) is None)
    try:
        patterns = compile_patterns([pattern])
    except InputError:
        return
    (ignoring.path / ".gitignore").write_text(pattern + "\n")
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin", "-z"],
        cwd=ignoring.path,
        input=b"\0".join(PATHS),
        capture_output=True,
        check=False,
    )
    ignored = {path for path in done.stdout.split(b"\0") if path}
    ours = {path for path in PATHS if not pattern.startswith("!") and patterns.matches(path)}
    assert ours == ignored, pattern


PATHS = [
    *(b"a", b"b", b"ab", b"a.b", b"aa", b"a/a", b"a/b", b"a/b/a", b"b/a/b", b"a/b/a/b", b"ab/a", b"a.b/b", b"-a"),
    *(b"a-b", b"b/ab", b"b/a.b", b".a", b"a/.b", b"a/ab/b", b"!a"),
]


@pytest.fixture(scope="module")
def ignoring(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return Repo.init(tmp_path_factory.mktemp("ignoring"))


def test_many_paths_against_many_patterns_are_quick() -> None:
    """50,000 paths against 100 patterns: measured 0.2 s, held to six times that."""
    wanted = (
        [f"**/area{i}/**" for i in range(40)]
        + [f"*_word{i}.*" for i in range(30)]
        + [f"/src/*/x{i}*/" for i in range(30)]
    )
    patterns = compile_patterns(wanted)
    paths = [f"src/pkg{i % 70}/area{i % 90}/module_{i}/file_name_{i}.py".encode() for i in range(50_000)]
    start = time.process_time()
    found = sum(patterns.matches(path) for path in paths)
    spent = time.process_time() - start
    assert 0 < found < len(paths)
    assert spent < 1.2


def test_a_hostile_pattern_is_answered_in_linear_time() -> None:
    patterns = compile_patterns(["*a" * 100 + "b", "**/" * 50 + "x"])
    start = time.process_time()
    assert not patterns.matches(b"a" * 20_000)
    assert not patterns.matches(b"a/" * 10_000 + b"y")
    assert time.process_time() - start < 1


def test_where_a_set_of_expressions_gives_up_the_answer_is_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    patterns = compile_patterns(["*.py", "a*", "!ab*"])
    monkeypatch.setattr(patterns, "_which", type("Exhausted", (), {"Match": staticmethod(lambda path: [])}))
    assert patterns.first(b"x.py") == "*.py"
    assert patterns.first(b"ax") == "a*"
    assert patterns.first(b"abx") == ""
