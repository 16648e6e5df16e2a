"""Debt: only what a change introduces is said, once, at its line; what was there, or only moved, is not."""

from __future__ import annotations

import difflib
import textwrap
from pathlib import Path

import pytest
from hypothesis import given as cases
from hypothesis import settings as limits
from hypothesis import strategies as some

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.trees import GitTree, Trees, given, pairs_of
from tidegate.change.values import Change, FileChange, Hunk
from tidegate.facts import DebtFacts, FileKind, FileStatus, Intent
from tidegate.settings import Settings
from tidegate.verify.debt.check import check
from tidegate.verify.debt.growth import functions
from tidegate.verify.debt.source import Source
from tidegate.verify.values import Part, Subject

LANGUAGES = {
    "py": "Python",
    "js": "JavaScript",
    "ts": "TypeScript",
    "go": "Go",
    "java": "Java",
    "rb": "Ruby",
    "rs": "Rust",
    "sh": "Shell",
}


def debt(before: dict[str, str], after: dict[str, str], kind: FileKind = "source") -> Part:
    """The check of a change from some files to others."""
    old, new = ({path: textwrap.dedent(text).encode() for path, text in side.items()} for side in (before, after))
    trees = given(old, new)
    files = tuple(_file(pair.path, old.get(pair.path, b""), new.get(pair.path, b""), kind) for pair in trees.changed)
    change = Change("commit", "", "", "", "", "", "", "", (), files, Intent())
    return check(Subject(change, trees, Settings()))


def said(part: Part) -> list[tuple[str, str, int]]:
    return [(finding.rule, finding.severity, finding.place.line) for finding in part.findings]


def _file(path: str, old: bytes, new: bytes, kind: FileKind) -> FileChange:
    was, now = old.split(b"\n") if old else [], new.split(b"\n") if new else []
    hunks = tuple(
        Hunk(a + 1, b - a, c + 1, d - c, tuple(was[a:b]), tuple(now[c:d]))
        for tag, a, b, c, d in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
        if tag != "equal"
    )
    name, added, gone = path.encode(), sum(h.new_count for h in hunks), sum(h.old_count for h in hunks)
    status: FileStatus = "modified" if old and new else "added" if new else "deleted"
    language = LANGUAGES[path.rpartition(".")[2]]
    modes = (0o100644 if old else 0, 0o100644 if new else 0)
    return FileChange(name, name, status, *modes, "", "", 0, added, gone, False, True, hunks, kind, language)


# Growth

COMPLEXITY = {
    "py": (
        """
        def f(a, b):
            if a and b and not a:          # 1, and 1 for the operators
                for x in a:                # 2
                    while x:               # 3
                        x -= 1
            elif b:                        # 1
                return f(b, a)             # 1 for calling itself
            else:                          # 1
                try:
                    return [1 if y else 2 for y in b]   # 2
                except KeyError:           # 2
                    pass
        """,
        14,
    ),
    "js": ("function f(a) { if (a && b || c) { for (;;) {} } else if (a) {} else { g(() => { if (a) {} }) } }", 10),
    "ts": ("const f = (a: number) => { switch (a) { case 1: return a ? 1 : 2 } }", 3),
    "go": ("package p\nfunc f(a int) { if a > 1 && a < 3 { for { } } else if a > 7 { } else { } }", 6),
    "java": ("class A { void f(int a) { while (a > 1) { if (a > 2) { a--; } else { a++; } } } }", 4),
    "rb": ("def f(a)\n  if a\n    while a\n      a = g\n    end\n  elsif b\n    1\n  else\n    2\n  end\nend\n", 5),
    "rs": ("fn f(a: i32) { if a > 1 { loop { } } else { match a { _ => 1 } ; } }", 6),
}


@pytest.mark.parametrize("extension", COMPLEXITY)
def test_cognitive_complexity_is_counted_as_the_paper_has_it(extension: str) -> None:
    text, expected = COMPLEXITY[extension]
    source = Source(f"a.{extension}", LANGUAGES[extension], textwrap.dedent(text).encode())
    assert [one.complexity for one in functions(source)] == [expected]


def _nested(depth: int, name: str = "price") -> str:
    lines = [f"def {name}(order):"]
    lines += ["    " * (n + 1) + f"if order.step_{n}:" for n in range(depth)]
    return "\n".join([*lines, "    " * (depth + 1) + "return order", ""])


def test_a_function_that_grew_is_said_with_both_figures() -> None:
    part = debt({"a.py": _nested(4)}, {"a.py": _nested(6)})
    assert said(part) == [("complexity-grown", "medium", 1)]
    assert "from a cognitive complexity of 10 to 21" in part.findings[0].message
    assert part.fields["debt"] == DebtFacts(functions_grown=1, complexity_added=11)


def test_a_complex_function_that_moved_or_changed_its_name_is_not_said() -> None:
    assert said(debt({"a.py": _nested(8)}, {"b.py": _nested(8)})) == []
    assert said(debt({"a.py": _nested(8)}, {"a.py": _nested(8, "cost")})) == []
    assert said(debt({}, {"b.py": _nested(8)})) == [("complexity-grown", "medium", 1)]


def test_tests_are_not_asked_about() -> None:
    assert said(debt({}, {"b.py": _nested(8)}, "test")) == []


def test_long_functions_and_many_parameters() -> None:
    long = "def f():\n" + "".join(f"    step({n})\n" for n in range(120))
    assert said(debt({}, {"a.py": long})) == [("function-long", "low", 1)]
    many = "def f(a, b, c, d, e, f, g, h):\n    return a\n"
    assert said(debt({}, {"a.py": many})) == [("many-parameters", "low", 1)]
    assert said(debt({"a.py": many}, {"a.py": many.replace("return a", "return b")})) == []
    assert said(debt({}, {"a.py": "@click.command()\n" + many})) == []


# Sites

SITES = {
    "passes": ("a.py", "try:\n    f()\nexcept Exception:\n    pass\n", "error-swallowed", "medium", 3),
    "explained": ("a.py", "try:\n    f()\nexcept Exception:\n    pass  # best effort\n", "error-swallowed", "low", 3),
    "only logs": ("a.py", "try:\n    f()\nexcept Exception as e:\n    log.error(e)\n", "error-swallowed", "note", 3),
    "default": (
        "a.py",
        "def g():\n    try:\n        f()\n    except:\n        return []\n",
        "error-swallowed",
        "medium",
        4,
    ),
    "suppress": ("a.py", "with contextlib.suppress(Exception):\n    f()\n", "error-swallowed", "medium", 1),
    "js catch": ("a.js", "try { f() } catch (e) {}\n", "error-swallowed", "medium", 1),
    "java catch": (
        "A.java",
        "class A { void f() { try { g(); } catch (Exception e) { } } }\n",
        "error-swallowed",
        "medium",
        1,
    ),
    "ruby rescue": ("a.rb", "begin\n  f\nrescue => e\nend\n", "error-swallowed", "medium", 3),
    "ruby modifier": ("a.rb", "x = f(1) rescue nil\n", "error-swallowed", "low", 1),
    "rust": ("a.rs", "fn f() {\n    let _ = store::save(x);\n}\n", "error-swallowed", "note", 2),
    "axios": ("a.ts", "const r = await axios.get(url);\n", "fragile-integration", "low", 1),
    "go": ("a.go", "package p\nfunc f() {\n\t_ = store.Save(x)\n}\n", "error-swallowed", "note", 3),
    "shell": ("a.sh", "make install || true\n", "error-swallowed", "note", 1),
    "requests": ("a.py", "import requests\n\nrequests.get(url)\n", "fragile-integration", "low", 3),
    "session": ("a.py", "import requests\n\ns = requests.Session()\ns.post(url)\n", "fragile-integration", "low", 4),
    "from": ("a.py", "from urllib.request import urlopen\n\nurlopen(url)\n", "fragile-integration", "low", 3),
    "httpx off": ("a.py", "import httpx\n\nhttpx.get(url, timeout=None)\n", "fragile-integration", "low", 3),
    "subprocess": ("a.py", "import subprocess\n\nsubprocess.run(['x'])\n", "fragile-integration", "low", 3),
    "go http": ("a.go", 'package p\n\nvar r, e = http.Get("http://x")\n', "fragile-integration", "low", 3),
    "unreachable": ("a.py", "def g():\n    return 1\n    f()\n", "dead-code-added", "low", 3),
    "js behind": ("a.js", "function f() {\n  return 1;\n  g();\n}\n", "dead-code-added", "low", 3),
    "import": ("a.py", "import json\n\nf()\n", "dead-code-added", "low", 1),
    "variable": ("a.py", "def g():\n    x = f()\n    return 1\n", "dead-code-added", "low", 2),
    "parameter": ("a.py", "def _g(x, y):\n    return x\n\n\n_g(1, 2)\n", "dead-code-added", "low", 1),
    "todo": ("a.py", "f()  # TODO: later\n", "todo-grown", "note", 1),
    "ignore": ("a.py", "f()  # type: ignore\n", "type-hole", "note", 1),
    "any": ("a.ts", "function f(a: any) { return a }\n", "type-hole", "note", 1),
}
SILENT = {
    "named error": ("a.py", "try:\n    f()\nexcept KeyError:\n    pass\n"),
    "raised": ("a.py", "try:\n    f()\nexcept Exception:\n    log.error('x')\n    raise\n"),
    "used": ("a.py", "try:\n    f()\nexcept Exception as e:\n    answer(e)\n"),
    "optional import": ("a.py", "try:\n    import x\nexcept Exception:\n    x = None\n"),
    "closing": ("a.py", "def close():\n    try:\n        f()\n    except Exception:\n        pass\n"),
    "js handled": ("a.js", "try { f() } catch (e) { report(e) }\n"),
    "ruby named": ("a.rb", "begin\n  f\nrescue KeyError\nend\n"),
    "ruby handled": ("a.rb", "begin\n  f\nrescue => e\n  report(e)\nend\n"),
    "rust test": ("a.rs", "#[cfg(test)]\nmod tests {\n    fn f() {\n        let _ = store::save(x);\n    }\n}\n"),
    "axios limit": ("a.ts", "const r = await axios.get(url, { timeout: 3000 });\n"),
    "example": ("examples/a.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
    "go close": ("a.go", "package p\nfunc f() {\n\t_ = file.Close()\n}\n"),
    "shell grep": ("a.sh", "grep x y || true\n"),
    "timeout": ("a.py", "import requests\n\nrequests.get(url, timeout=3)\n"),
    "passed on": ("a.py", "import requests\n\nrequests.get(url, **options)\n"),
    "own name": ("a.py", "requests = box()\nrequests.get(url)\n"),
    "httpx": ("a.py", "import httpx\n\nhttpx.get(url)\n"),
    "checked": ("a.py", "import subprocess\n\nif subprocess.run(['x']).returncode:\n    f()\n"),
    "generator": ("a.py", "def g():\n    return\n    yield\n"),
    "js switch": ("a.js", "switch (a) {\n  case 1:\n    return 1;\n  default:\n    return 2;\n}\n"),
    "js condition": ("a.js", "if (a)\n  return 1;\ng();\n"),
    "re-export": ("a.py", "import json\n\n__all__ = ['json']\n"),
    "noqa": ("a.py", "import json  # noqa: F401\n"),
    "inner use": ("a.py", "def g():\n    x = f()\n    return lambda: x\n"),
    "callback": ("a.py", "def _g(x, y):\n    return x\n\n\nregister(_g)\n"),
    "word": ("a.py", "f('TODO: later')\n"),
    "coded ignore": ("a.py", "f()  # type: ignore[arg-type]\n"),
    "broken": ("a.py", "def f(:\n"),
    "bytes": ("a.py", "\0\0"),
}


@pytest.mark.parametrize("name", SITES)
def test_what_is_added_is_said_at_its_line(name: str) -> None:
    path, text, rule, severity, line = SITES[name]
    assert said(debt({}, {path: text})) == [(rule, severity, line)]


@pytest.mark.parametrize("name", SITES)
def test_what_was_there_or_moved_is_not_said(name: str) -> None:
    path, text, *_ = SITES[name]
    extension = path.rpartition(".")[2]
    if name != "import":
        assert said(debt({path: text}, {f"moved.{extension}": text})) == []
    mark = {"py": "#", "sh": "#"}.get(extension, "//")
    assert said(debt({path: text}, {path: f"{text}{mark} the end\n"})) == []


@pytest.mark.parametrize("name", SILENT)
def test_what_is_in_order_is_not_said(name: str) -> None:
    path, text = SILENT[name]
    assert said(debt({}, {path: text})) == []


# Claims and habits


def test_a_docstring_that_keeps_what_the_change_takes_away() -> None:
    before = (
        'def f(a, b=5):\n    """Adds.\n\n    :param a: one\n    :param b: two, default 5\n    """\n    return a + b\n'
    )
    gone = before.replace("a, b=5", "a").replace("a + b", "a")
    assert said(debt({"a.py": before}, {"a.py": gone})) == [("comment-contradicts", "low", 5)]
    other = before.replace("b=5", "b=7")
    assert said(debt({"a.py": before}, {"a.py": other})) == [("comment-contradicts", "low", 5)]
    mended = other.replace("default 5", "default 7")
    assert said(debt({"a.py": before}, {"a.py": mended})) == []


def test_a_comment_that_names_the_former_number() -> None:
    before = "LIMIT = 30  # 30 seconds\n"
    assert said(debt({"a.py": before}, {"a.py": "LIMIT = 60  # 30 seconds\n"})) == [("comment-contradicts", "low", 1)]
    assert said(debt({"a.py": before}, {"a.py": "LIMIT = 60  # 60 seconds, 30 were too few\n"})) == []


def test_a_description_is_missed_only_where_it_is_the_habit() -> None:
    described = "".join(f'def f{n}():\n    """Answers."""\n\n\n' for n in range(6))
    bare = "def g():\n    return 1\n"
    assert said(debt({"a.py": described}, {"a.py": described + bare})) == [("undocumented-api", "note", 25)]
    plain = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(6))
    assert said(debt({"a.py": plain}, {"a.py": plain + bare})) == []


def test_names_and_settings_are_searched_in_the_whole_tree(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "shop")
    (repo.path / "README.md").write_text("Set `SHOP_URL`.\n")
    (repo.path / "other.py").write_text("import work\n\nwork._used()\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "Start")
    text = 'import os\n\n\ndef _used():\n    return os.environ["SHOP_URL"]\n'
    text += '\n\ndef _lost():\n    return os.environ["SHOP_KEY"]\n'
    (repo.path / "work.py").write_text(text)
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "Work")
    with open_repository(repo.path) as repository:
        change = read_change(read_ends(Question(change="HEAD"), repository), repository, Settings())
        before, after = (GitTree(repository, tree) for tree in (change.base_tree, change.head_tree))
        part = check(Subject(change, Trees(before, after, pairs_of(change)), Settings()))
    assert said(part) == [("dead-code-added", "low", 8), ("config-without-default", "low", 9)]
    assert "SHOP_KEY" in part.findings[1].message


@limits(max_examples=60, deadline=None)
@cases(some.sampled_from(sorted(LANGUAGES)), some.binary(max_size=200), some.binary(max_size=200))
def test_no_content_breaks_the_check(extension: str, old: bytes, new: bytes) -> None:
    path = f"a.{extension}"
    trees = given({path: old}, {path: new})
    change = Change("commit", "", "", "", "", "", "", "", (), (_file(path, old, new, "source"),), Intent())
    part = check(Subject(change, trees, Settings()))
    assert all(finding.place.line > 0 for finding in part.findings)
