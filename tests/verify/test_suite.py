"""What a change does to the tests: tests that cannot fail, and tests that say less, read from their text."""

from __future__ import annotations

import textwrap
import time

import pytest

from tests.verify.changes import subject_of
from tidegate.change.trees import Trees, given
from tidegate.change.values import Change, FileChange, Hunk
from tidegate.facts import FileKind, Intent
from tidegate.settings import Settings
from tidegate.verify.suite.check import check
from tidegate.verify.suite.python_tests import read_python
from tidegate.verify.suite.vacuous import Verdict, judge
from tidegate.verify.values import Part, Subject

LANGUAGES = {
    "py": "Python",
    "ts": "TypeScript",
    "js": "JavaScript",
    "go": "Go",
    "java": "Java",
    "rb": "Ruby",
    "rs": "Rust",
}


def verdict(body: str, **files: str) -> Verdict | None:
    """The verdict on the last test of a file that holds this."""
    others = {f"tests/{name}.py": textwrap.dedent(text).encode() for name, text in files.items()}
    read = read_python(textwrap.dedent(body).encode(), "tests/test_it.py", others.get)
    assert read is not None
    return judge(list(read.tests.values())[-1])


def part(before: dict[str, str], after: dict[str, str]) -> Part:
    """What the check says of a change between these files."""
    old = {path: textwrap.dedent(text).encode() for path, text in before.items()}
    new = {path: textwrap.dedent(text).encode() for path, text in after.items()}
    files = tuple(_file(path, old.get(path, b""), new.get(path, b"")) for path in sorted({*old, *new}))
    changed = tuple(file for file in files if old.get(file.path.decode()) != new.get(file.path.decode()))
    change = Change("commit", "", "", "", "", "", "", "", (), changed, Intent())
    trees: Trees = given(old, new)
    return check(Subject(change, trees, Settings()))


def rules(found: Part) -> list[tuple[str, str]]:
    return [(one.rule, one.severity) for one in found.findings]


def _file(path: str, old: bytes, new: bytes) -> FileChange:
    kind: FileKind = "test" if "test" in path or "spec" in path else "source" if path.startswith("src") else "config"
    hunk = Hunk(1, old.count(b"\n"), 1, new.count(b"\n"), tuple(old.splitlines()), tuple(new.splitlines()))
    status = "added" if not old else "deleted" if not new else "modified"
    modes = (0o100644 if old else 0, 0o100644 if new else 0)
    name, language = path.encode(), LANGUAGES.get(path.rpartition(".")[2], "TOML")
    return FileChange(name, name, status, *modes, "", "", 0, 0, 0, False, True, (hunk,), kind, language)


VACUOUS = {
    "asserts nothing": "def test_it():\n    total([1])\n",
    "always true": "def test_it():\n    total([1])\n    assert True\n",
    "compares constants": "def test_it():\n    total([1])\n    assert 1 == 1\n",
    "constants of the test": "def test_it():\n    wanted = 3\n    total([1])\n    assert wanted == 3\n",
    "with itself": "def test_it():\n    found = total([1])\n    assert found == found\n",
    "tuple": "def test_it():\n    assert (total([1]) == 1, 'wrong')\n",
    "swallowed by the except": "def test_it():\n    try:\n        assert total([1]) == 1\n"
    "    except Exception:\n        pass\n",
    "swallowed by `": "def test_it():\n    with suppress(AssertionError):\n        assert total([1]) == 1\n",
    "after `return`": "def test_it():\n    return\n    assert total([1]) == 1\n",
    "`if False`": "def test_it():\n    if False:\n        assert total([1]) == 1\n",
    "loop over nothing": "def test_it():\n    for one in []:\n        assert total([one]) == 1\n",
    "only if something is raised": "def test_it():\n    try:\n        total([1])\n    except ValueError as e:\n"
    "        assert str(e) == 'no'\n",
    "commented out": "def test_it():\n    total([1])\n    # assert total([1]) == 1\n",
    "told it to answer": "def test_it():\n    shop = Mock()\n    shop.total.return_value = 3\n"
    "    assert shop.total() == 3\n",
    "is a mock": "def test_it():\n    shop = Mock()\n    assert shop\n",
    "never None": "def test_it():\n    shop = Shop()\n    assert shop is not None\n",
    "never runs": "@pytest.mark.skip\ndef test_it():\n    assert total([1]) == 1\n",
    "none of its 2": "class TestIt(TestCase):\n    def test_it(self):\n        self.assertTrue(True)\n"
    "        self.assertEqual(1, 1)\n",
}


@pytest.mark.parametrize("words", VACUOUS)
def test_a_test_that_cannot_fail_is_named_with_the_reason(words: str) -> None:
    found = verdict(VACUOUS[words])
    assert found is not None
    assert words in found.reason
    assert not found.meant


SOUND = {
    "plain": "def test_it():\n    assert total([1]) == 1\n",
    "a helper": "def look(x):\n    assert x\n\ndef test_it():\n    look(total([1]))\n",
    "a helper by a helper": "def a(x):\n    assert x\n\ndef b(x):\n    a(x)\n\ndef test_it():\n    b(total([1]))\n",
    "a fixture that asserts": "@pytest.fixture\ndef clean():\n    yield\n    assert not left()\n"
    "\ndef test_it(clean):\n    go()\n",
    "raises": "def test_it():\n    with pytest.raises(ValueError):\n        total(['a'])\n",
    "a method of the base": "from .base import Base\n\nclass TestIt(Base):\n"
    "    def test_it(self):\n        self.go(1)\n",
    "a function that is given": "def test_it(run):\n    run('total')\n",
    "called": "def test_it():\n    shop = Mock()\n    total(shop)\n    shop.sum.assert_called_once_with(1)\n",
    "a mock that is given away": "def test_it():\n    shop = Mock()\n    shop.n = 0\n"
    "    total(shop)\n    assert shop.n == 3\n",
    "set from inside": "def test_it():\n    done = False\n    def call():\n        nonlocal done\n        done = True\n"
    "    total(call)\n    assert done\n",
    "about equality": "def test_equality():\n    one = Price(1)\n    assert one == one\n",
    "raised on purpose": "def test_it():\n    try:\n        1 / 0\n    except ZeroDivisionError:\n"
    "        assert shown() == 'x'\n",
    "looked at afterwards": "def test_it():\n    try:\n        total(['a'])\n    except ValueError:\n        pass\n"
    "    assert left() == 0\n",
    "its own failure": "def test_it():\n    try:\n        total(['a'])\n    except ValueError:\n"
    "        return\n    raise AssertionError\n",
}


@pytest.mark.parametrize("name", SOUND)
def test_a_test_that_can_fail_is_left_alone(name: str) -> None:
    base = "class Base:\n    def go(self, x):\n        self.look(x)\n\n    def look(self, x):\n        assert x\n"
    assert verdict(SOUND[name], base=base) is None


def test_what_an_imported_helper_does_is_read() -> None:
    body = "from tests.tools import go\n\ndef test_it():\n    go(1)\n"
    assert verdict(body, tools="def go(x):\n    assert x\n") is None
    found = verdict(body, tools="def go(x):\n    print(x)\n")
    assert found is not None
    assert found.reason == "it asserts nothing"


def test_that_nothing_is_raised_may_be_what_a_test_shows() -> None:
    found = verdict("def test_total_does_not_raise():\n    total([1])\n")
    assert found is not None
    assert found.meant
    after = "def test_total_does_not_raise():\n    total([1])\n"
    noted = part({}, {"tests/test_it.py": after})
    assert rules(noted) == [("test-vacuous", "note")]
    assert (noted.fields["suite"].added, noted.fields["suite"].vacuous) == (1, 0)


SOURCE = {"src/shop.py": "def total(prices):\n    return sum(prices)\n"}
TEST = "from shop import total\n\ndef test_total():\n    assert total([1]) == 1\n    assert total([1, 2]) == 3\n"
WEAKER = {
    "an assertion is gone": (TEST.replace("    assert total([1]) == 1\n", ""), ("test-weakened", "medium")),
    "only truth is left": (TEST.replace("total([1]) == 1", "total([1])"), ("test-weakened", "medium")),
    "it is skipped": (TEST.replace("def test", "@pytest.mark.skip\ndef test"), ("test-skipped", "medium")),
    "it may fail": (TEST.replace("def test", "@pytest.mark.xfail\ndef test"), ("test-skipped", "medium")),
    "skipped here and there": (
        TEST.replace("def test", "@pytest.mark.skipif(WIN)\ndef test"),
        ("test-skipped", "note"),
    ),
    "it is gone": ("from shop import total\n", ("test-removed", "medium")),
}


@pytest.mark.parametrize("name", WEAKER)
def test_a_test_that_says_less_is_named(name: str) -> None:
    after, wanted = WEAKER[name]
    found = part({**SOURCE, "tests/test_shop.py": TEST}, {**SOURCE, "tests/test_shop.py": after})
    assert rules(found) == [wanted]
    assert found.fields["suite"].weakened == int(wanted[1] != "note")


SAME = {
    "renamed": TEST.replace("test_total", "test_sum_of_prices"),
    "other values": TEST.replace("== 3", "== 4"),
    "an empty value": TEST.replace("== 1", "== 0"),
    "many cases": "from shop import total\n\n@pytest.mark.parametrize('p, t', [([1], 1), ([1, 2], 3)])\n"
    "def test_total(p, t):\n    assert total(p) == t\n",
}


@pytest.mark.parametrize("name", SAME)
def test_a_test_that_says_as_much_is_left_alone(name: str) -> None:
    found = part({**SOURCE, "tests/test_shop.py": TEST}, {**SOURCE, "tests/test_shop.py": SAME[name]})
    assert rules(found) == []


def test_a_test_may_go_with_what_it_tests() -> None:
    found = part({**SOURCE, "tests/test_shop.py": TEST}, {"src/shop.py": "def tax():\n    return 1\n"})
    assert rules(found) == []


def test_a_bar_that_is_lowered_is_named() -> None:
    found = part({"pyproject.toml": "fail_under = 90\n"}, {"pyproject.toml": "fail_under = 80\n"})
    assert rules(found) == [("threshold-lowered", "medium")]


def test_tests_of_other_languages_are_read() -> None:
    script = "test('a', () => {\n  expect(total([1]))\n})\n"
    assert rules(part({}, {"tests/a.test.ts": script})) == [("test-vacuous", "medium")]
    assert rules(part({}, {"tests/a.test.ts": script.replace("]))", "])).toBe(1)")})) == []
    go = "package a\n\nfunc TestA(t *testing.T) {\n\tif total() != 1 {\n\t\tt.Fatal(1)\n\t}\n}\n"
    assert rules(part({}, {"a_test.go": go})) == []
    assert rules(part({}, {"a_test.go": go.replace("t.Fatal(1)", "")})) == [("test-vacuous", "medium")]


def test_a_helper_that_asserts_no_more_weakens_the_tests_that_only_call_it() -> None:
    text = "def look(x):\n    assert x == 3\n\n\ndef test_a():\n    look(f())\n\n\ndef test_b():\n    assert f() == 3\n"
    before = {"tests/test_a.py": text}
    after = {"tests/test_a.py": text.replace("    assert x == 3", "    print(x)")}
    part = check(subject_of(before, after))
    assert [one.message for one in part.findings if one.rule == "test-weakened"] == [
        "test_a asserted by something that it calls or asks for, which asserts nothing now"
    ]
    assert part.fields["suite"].changed == 0


def test_a_mark_on_the_class_switches_off_tests_of_the_same_text() -> None:
    text = "class TestIt:\n    def test_a(self):\n        assert f() == 3\n"
    after = {"tests/test_a.py": "import pytest\n\n\n@pytest.mark.skip\n" + text}
    part = check(subject_of({"tests/test_a.py": text}, after))
    assert [one.rule for one in part.findings] == ["test-skipped"]


def test_long_lines_that_would_take_long_are_left_out_and_said() -> None:
    lines = "\n".join(f"# {'password = x == ' * 120}{number}" for number in range(1000))
    start = time.process_time()
    part = check(subject_of({"tests/test_a.py": "x = 1\n"}, {"tests/test_a.py": f"x = 1\n{lines}\n"}))
    assert time.process_time() - start < 2
    assert "1000 changed lines are too long" in part.unknowns[0].reason
