"""Tests that a change weakens: what is named, and what is left alone because it says as much."""

from __future__ import annotations

import textwrap

import pytest

from tests.verify.changes import subject_of
from tidegate.verify.suite.check import check
from tidegate.verify.values import Part

SOURCE = {"src/shop.py": "def total(prices):\n    return sum(prices)\n"}
PYTHON = "from shop import total\n\n\ndef test_total():\n    assert total([1]) == 1\n    assert total([1, 2]) == 3\n"
JEST = "test('total', () => {\n  expect(total([1])).toBe(1)\n  expect(total([1, 2])).toBe(3)\n})\n"
GO = (
    'package shop\n\nimport "testing"\n\nfunc TestTotal(t *testing.T) {\n'
    "\tassert.Equal(t, 1, Total(1))\n\tassert.Equal(t, 3, Total(1, 2))\n}\n"
)
JAVA = """\
    class ShopTest {
        @Test
        void total() {
            assertEquals(1, Shop.total(1));
            assertEquals(3, Shop.total(1, 2));
        }
    }
    """
RUBY = """\
    describe Shop do
      it "adds" do
        expect(Shop.total([1])).to eq(1)
        expect(Shop.total([1, 2])).to eq(3)
      end
    end
    """
RUST = """\
    #[cfg(test)]
    mod tests {
        #[test]
        fn total() {
            assert_eq!(shop::total(&[1]), 1);
            assert_eq!(shop::total(&[1, 2]), 3);
        }
    }
    """


def changed(path: str, before: str, after: str, **more: str) -> Part:
    """What the check says where one file of a project changes."""
    old, new = ({**SOURCE, path: textwrap.dedent(text)} for text in (before, after))
    return check(subject_of(old, {**new, **more}))


def said(part: Part) -> list[tuple[str, str]]:
    """The rules and severities of all findings but those about tests that cannot fail."""
    return [(one.rule, one.severity) for one in part.findings if one.rule != "test-vacuous"]


WEAKER = {
    "python: skipped under a true condition": ("py", "def test_total", "@unittest.skipIf(True, 'x')\ndef test_total"),
    "python: xfail": ("py", "def test_total", "@pytest.mark.xfail\ndef test_total"),
    "python: renamed": ("py", "def test_total", "def check_total"),
    "python: moved into a helper": ("py", "def test_total():", "def _unused():"),
    "python: an assertion gone": ("py", "    assert total([1]) == 1\n", ""),
    "python: only truth": ("py", "total([1]) == 1", "total([1])"),
    "python: the opposite": ("py", "total([1]) == 1", "total([1]) != 1"),
    "python: roughly": ("py", "== 3", "== pytest.approx(3, abs=2)"),
    "python: commented out": ("py", "    assert total([1]) == 1", "    # assert total([1]) == 1"),
    "python: anything": ("py", "== 3", "== mock.ANY"),
    "python: a loop over nothing": (
        "py",
        "    assert total([1, 2]) == 3",
        "    for n in []:\n        assert total(n) == 3",
    ),
    "python: returns in a pipeline": (
        "py",
        "def test_total():\n",
        "def test_total():\n    if os.environ.get('CI'):\n        return\n",
    ),
    "python: shadowed": ("py", "== 3\n", "== 3\n\n\ndef test_total():\n    assert total([1]) == 1\n"),
    "python: not collected": ("py", "def test_total", "__test__ = False\n\n\ndef test_total"),
    "python: the file is skipped": (
        "py",
        "def test_total",
        "pytest.skip('x', allow_module_level=True)\n\n\ndef test_total",
    ),
    "python: taken out": ("py", "== 3\n", "== 3\n\n\ndel test_total\n"),
    "python: in a function": ("py", "def test_total():\n", "def group():\n  def test_total():\n"),
    "python: the assertion is replaced": ("py", "def test_total", "TestCase.assertEqual = print\n\n\ndef test_total"),
    "python: the comparison is replaced": (
        "py",
        "def test_total():\n",
        "def test_total(monkeypatch):\n    monkeypatch.setattr(Price, '__eq__', lambda a, b: True)\n",
    ),
    "python: no cases": ("py", "def test_total():", "@pytest.mark.parametrize('n', [])\ndef test_total(n):"),
    "jest: skipped": ("js", "test('total'", "test.skip('total'"),
    "jest: alone": ("js", "test('total'", "test.only('total'"),
    "jest: only truth": ("js", ".toBe(3)", ".toBeTruthy()"),
    "jest: roughly": ("js", ".toBe(3)", ".toBeCloseTo(3, 0)"),
    "jest: anything": ("js", ".toBe(3)", ".toEqual(expect.any(Number))"),
    "jest: gone": ("js", "  expect(total([1, 2])).toBe(3)\n", ""),
    "jest: switched off for the file": ("js", "test('total'", "test = test.skip\ntest('total'"),
    "go: skipped": ("go", "t *testing.T) {\n", "t *testing.T) {\n\tt.Skip()\n"),
    "go: under a tag": ("go", "package shop\n", "//go:build never\n\npackage shop\n"),
    "go: roughly": ("go", "assert.Equal(t, 3, Total(1, 2))", "assert.InDelta(t, 3, Total(1, 2), 2)"),
    "go: gone": ("go", "\tassert.Equal(t, 3, Total(1, 2))\n", ""),
    "go: renamed": ("go", "func TestTotal", "func testTotal"),
    "java: disabled": ("java", "    @Test", "    @Disabled\n    @Test"),
    "java: roughly": ("java", "Shop.total(1, 2))", "Shop.total(1, 2), 2.5)"),
    "java: no test": ("java", "    @Test\n", ""),
    "java: only there": ("java", "assertEquals(3, Shop.total(1, 2))", "assertNotNull(Shop.total(1, 2))"),
    "ruby: pending": ("rb", '  it "adds"', '  xit "adds"'),
    "ruby: skipped": ("rb", 'it "adds" do\n', 'it "adds" do\n    skip\n'),
    "ruby: roughly": ("rb", "eq(3)", "be_within(2).of(3)"),
    "ruby: gone": ("rb", "    expect(Shop.total([1, 2])).to eq(3)\n", ""),
    "rust: ignored": ("rs", "    #[test]\n", "    #[test]\n    #[ignore]\n"),
    "rust: not compiled": ("rs", "#[cfg(test)]", "#[cfg(any())]"),
    "rust: gone": ("rs", "        assert_eq!(shop::total(&[1, 2]), 3);\n", ""),
    "rust: no test": ("rs", "    #[test]\n", ""),
}
FILES = {
    "py": ("tests/test_shop.py", PYTHON),
    "js": ("tests/shop.test.js", JEST),
    "go": ("tests/shop_test.go", GO),
    "java": ("tests/ShopTest.java", JAVA),
    "rb": ("tests/shop_spec.rb", RUBY),
    "rs": ("tests/shop.rs", RUST),
}


@pytest.mark.parametrize("name", WEAKER)
def test_a_test_that_says_less_holds_the_change(name: str) -> None:
    language, old, new = WEAKER[name]
    path, text = FILES[language]
    text = textwrap.dedent(text)
    assert old in text
    part = changed(path, text, text.replace(old, new, 1))
    assert part.fields["suite"].weakened >= 1, part.findings


SETTINGS = {
    "pytest -k": ("pyproject.toml", 'addopts = "-q"', "addopts = \"-q -k 'not total'\""),
    "pytest --deselect": (
        "pyproject.toml",
        'addopts = "-q"',
        'addopts = "-q --deselect tests/test_shop.py::test_total"',
    ),
    "pytest --ignore": ("setup.cfg", "addopts = -q", "addopts = -q --ignore=tests/test_shop.py"),
    "collect_ignore": ("conftest.py", "collect_ignore = []", 'collect_ignore = ["tests/test_shop.py"]'),
    "a hook skips": (
        "tests/conftest.py",
        "import pytest\n",
        "import pytest\n\ndef pytest_collection_modifyitems(items):\n"
        "    for item in items:\n        item.add_marker(pytest.mark.skip)\n",
    ),
    "a hook ends well": (
        "tests/conftest.py",
        "import pytest\n",
        "import pytest\n\ndef pytest_sessionfinish(session):\n    session.exitstatus = 0\n",
    ),
    "the list of folders": ("pyproject.toml", 'testpaths = ["tests", "more"]', 'testpaths = ["more"]'),
    "jest paths": ("jest.config.js", "testPathIgnorePatterns: []", "testPathIgnorePatterns: ['shop']"),
    "a script passes": ("package.json", '"test": "jest"', '"test": "jest || true"'),
    "surefire": ("pom.xml", "<a/>", "<exclude>**/ShopTest.java</exclude>"),
    "surefire fails well": ("pom.xml", "<a/>", "<testFailureIgnore>true</testFailureIgnore>"),
    "gradle": ("build.gradle", "test {\n", "test {\n  exclude '**/ShopTest*'\n"),
    "rspec": ("spec/spec_helper.rb", "c.x", "c.filter_run_excluding :slow"),
    "go": ("Makefile", "go test ./...", "go test -skip TestTotal ./..."),
    "cargo": ("Cargo.toml", "[lib]", "[lib]\ntest = false"),
    "coverage.py": ("pyproject.toml", "fail_under = 90", "fail_under = 80"),
    "coverage.py gone": ("pyproject.toml", "fail_under = 90\n", ""),
    "pytest-cov": ("setup.cfg", "addopts = --cov-fail-under=90", "addopts = --cov-fail-under=50"),
    "jest bar": ("jest.config.js", "lines: 90", "lines: 60"),
    "codecov": ("codecov.yml", "target: 90%", "target: 70%"),
    "codecov slack": ("codecov.yml", "threshold: 1%", "threshold: 20%"),
    "jacoco in gradle": ("build.gradle", "minimum = 0.8", "minimum = 0.5"),
    "jacoco in maven": ("pom.xml", "<minimum>0.80</minimum>", "<minimum>0.50</minimum>"),
    "stryker": ("stryker.conf.json", '"break": 60', '"break": 10'),
    "simplecov": ("tests/test_helper.rb", "minimum_coverage 95", "minimum_coverage 50"),
    "mypy": ("mypy.ini", "strict = true", "strict = false"),
    "mypy ignores": ("pyproject.toml", "strict = true", "strict = true\nignore_errors = true"),
    "tsconfig": ("tsconfig.json", '"strict": true', '"strict": false'),
    "tsconfig gone": ("tsconfig.json", '"strict": true', '"target": "es2022"'),
    "eslint": (".eslintrc.json", '"no-unused-vars": "error"', '"no-unused-vars": "off"'),
    "ruff": ("pyproject.toml", 'select = ["E", "F", "B"]', 'select = ["E"]'),
    "pytest strict": ("pyproject.toml", "--strict-markers", ""),
    "pytest xfail": ("pytest.ini", "xfail_strict = true", "xfail_strict = false"),
    "warnings": ("pyproject.toml", '    "error",\n', ""),
    "coverage omits": ("pyproject.toml", 'omit = ["a"]', 'omit = ["a", "src/shop.py"]'),
    "coverage omits in ini": (".coveragerc", "omit =\n    a\n", "omit =\n    a\n    src/shop.py\n"),
    "coverage lines": ("pyproject.toml", "exclude_also = []", 'exclude_also = ["def .*"]'),
    "jest leaves out": ("jest.config.js", "coveragePathIgnorePatterns: []", "coveragePathIgnorePatterns: ['src']"),
    "nyc": (".nycrc.json", '"exclude": []', '"exclude": ["src"]'),
    "codecov ignores": ("codecov.yml", "ignore:\n  - a\n", "ignore:\n  - a\n  - src\n"),
    "retries in settings": ("playwright.config.ts", "retries: 0", "retries: 3"),
    "reruns": ("pytest.ini", "addopts = -q", "addopts = -q --reruns 3"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_bar_that_is_lowered_holds_the_change(name: str) -> None:
    path, old, new = SETTINGS[name]
    lead = "# settings\n[a]\nx = 1\n" if path.endswith(("toml", "ini", "cfg", "rc")) else ""
    part = changed(path, f"{lead}{old}\n", f"{lead}{new}\n")
    assert part.fields["suite"].weakened >= 1, part.findings
    back = changed(path, f"{lead}{new}\n", f"{lead}{old}\n")
    assert back.fields["suite"].weakened == 0, back.findings


EXCLUDED = {
    "src/shop.py": "    x = 1  # pragma: no cover",
    "src/shop.ts": "/* istanbul ignore next */",
    "src/a.ts": "/* c8 ignore next */",
    "src/shop.rs": "#[cfg(not(tarpaulin_include))]",
    "src/b.rs": "#[coverage(off)]",
    "src/shop.rb": "# :nocov:",
    "src/Shop.java": "@ExcludeFromJacocoGeneratedReport",
    "src/shop.cc": "int a;  // LCOV_EXCL_LINE",
    "src/Shop.cs": "[ExcludeFromCodeCoverage]",
}


@pytest.mark.parametrize("path", EXCLUDED)
def test_code_that_is_left_out_of_coverage_is_named(path: str) -> None:
    part = changed(path, "one\n", f"one\n{EXCLUDED[path]}\n")
    assert said(part) == [("coverage-excluded", "low")]
    (finding,) = part.findings
    assert finding.place.line == 2


def test_an_exclusion_that_moved_is_left_alone() -> None:
    old = {"src/a.py": "a = 1\nb = 2  # pragma: no cover\n", "src/b.py": "c = 3\n"}
    new = {"src/a.py": "a = 1\n", "src/b.py": "c = 3\nb = 2  # pragma: no cover\n"}
    assert said(check(subject_of(old, new))) == []


SNAPSHOTS = {
    "jest": ("a.test.js.snap", "exports[`t{n} 1`] = `{v}`;\n\n"),
    "syrupy": ("test_a.ambr", "# name: test_{n}\n  '{v}'\n# ---\n"),
}


@pytest.mark.parametrize("kind", SNAPSHOTS)
def test_snapshots_that_are_rewritten_at_once_are_named(kind: str) -> None:
    name, entry = SNAPSHOTS[kind]

    def text(changed: int) -> str:
        return "".join(entry.format(n=n, v="new" if n < changed else "old") for n in range(8))

    assert said(changed(f"tests/__snapshots__/{name}", text(0), text(8))) == [("snapshot-rewritten", "low")]
    assert said(changed(f"tests/__snapshots__/{name}", text(0), text(2))) == []


def test_snapshots_in_files_of_their_own_are_counted_together() -> None:
    old = {f"tests/snapshots/a__{n}.snap": f"---\nsource: src/lib.rs\n---\n{n}\n" for n in range(6)}
    new = {path: text + "new\n" for path, text in old.items()}
    assert said(check(subject_of(old, new))) == [("snapshot-rewritten", "low")]
    few = {**old, **dict(list(new.items())[:2])}
    assert said(check(subject_of(old, few))) == []


def test_expected_values_that_change_with_the_source_are_noted() -> None:
    source = {"src/shop.py": "def total(prices):\n    return sum(prices) + 1\n"}
    part = changed("tests/test_shop.py", PYTHON, PYTHON.replace("== 3", "== 4"), **source)
    assert said(part) == [("test-weakened", "note")]
    assert part.fields["suite"].weakened == 0
    assert said(changed("tests/test_shop.py", PYTHON, PYTHON.replace("== 3", "== 4"))) == []


TOLERANCES = {
    "python": ("py", "assert total([1, 2]) == pytest.approx(3, abs=0.1)", "abs=0.1", "abs=2.0"),
    "python, places": ("py", "assertAlmostEqual(total([1, 2]), 3, 5)", ", 5)", ", 1)"),
    "python, isclose": ("py", "assert math.isclose(total([1, 2]), 3, rel_tol=1e-6)", "1e-6", "1e-1"),
    "python, by hand": ("py", "assert abs(total([1, 2]) - 3) < 0.1", "< 0.1", "< 2.0"),
    "jest": ("js", "expect(total([1])).toBeCloseTo(3, 5)", ", 5)", ", 1)"),
    "go": ("go", "assert.InDelta(t, 3, Total(1, 2), 0.1)", "0.1)", "2.0)"),
    "java": ("java", "assertEquals(3, Shop.total(1, 2), 0.1);", "0.1)", "2.0)"),
    "ruby": ("rb", "expect(Shop.total([1, 2])).to be_within(0.1).of(3)", "0.1", "2.0"),
    "minitest": ("rb", "assert_in_delta 3, total, 0.1", "0.1", "2.0"),
}


@pytest.mark.parametrize("name", TOLERANCES)
def test_a_tolerance_that_grows_is_named(name: str) -> None:
    language, assertion, old, new = TOLERANCES[name]
    path, text = FILES[language]
    lines = textwrap.dedent(text).splitlines()
    at = next(at for at, line in enumerate(lines) if "3" in line and ("total" in line or "Total" in line))
    lead = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    before = "\n".join([*lines[:at], lead + assertion, *lines[at + 1 :], ""])
    part = changed(path, before, before.replace(old, new))
    assert [one.rule for one in part.findings] == ["test-weakened"], part.findings
    assert "larger difference" in part.findings[0].message
    assert said(changed(path, before.replace(old, new), before)) == []


FIELDS = {
    "a dict": ("py", "assert shop() == {'a': 1, 'b': 2, 'c': 3}", "assert shop()['a'] == 1"),
    "an object": ("js", "expect(shop).toEqual({a: 1, b: 2, c: 3})", "expect(shop.a).toBe(1)"),
    "a part of an object": ("js", "expect(shop).toMatchObject({a: 1, b: 2})", "expect(shop).toMatchObject({a: 1})"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_that_are_no_longer_compared_are_named(name: str) -> None:
    language, old, new = FIELDS[name]
    path, text = FILES[language]
    line = next(line.strip() for line in text.splitlines() if "3" in line)
    part = changed(path, text.replace(line, old), text.replace(line, new))
    assert said(part) == [("test-weakened", "medium")]
    assert "fields" in part.findings[0].message


THROWN = {
    "jest": ("js", "expect(() => total(1)).toThrow(TypeError)", "expect(() => total(1)).toThrow()"),
    "java": ("java", "assertThrows(IoError.class, () -> go());", "assertThrows(Exception.class, () -> go());"),
    "ruby": ("rb", "expect { go }.to raise_error(IOError)", "expect { go }.to raise_error"),
    "python": ("py", "self.assertRaises(IOError, go)", "self.assertRaises(Exception, go)"),
}


@pytest.mark.parametrize("name", THROWN)
def test_an_exception_that_widens_is_named(name: str) -> None:
    language, old, new = THROWN[name]
    path, text = FILES[language]
    line = next(line.strip() for line in text.splitlines() if "3" in line)
    assert said(changed(path, text.replace(line, old), text.replace(line, new))) == [("test-weakened", "medium")]


SAME = {
    "an error and its message become one": (
        "go",
        "\tassert.Equal(t, 1, Total(1))\n\tassert.Equal(t, 3, Total(1, 2))\n",
        '\tassert.Error(t, err)\n\tassert.Contains(t, err.Error(), "no")\n',
        '\tassert.ErrorContains(t, err, "no")\n',
    ),
    "a step before it": (
        "go",
        "\tassert.Equal(t, 1, Total(1))\n",
        "\trequire.NoError(t, err)\n\tassert.Equal(t, 1, Total(1))\n",
        "\tassert.Equal(t, 1, Total(1))\n",
    ),
}


def test_an_assertion_that_stood_twice_may_go_once() -> None:
    twice = PYTHON + "    assert total([1]) == 1\n"
    assert said(changed("tests/test_shop.py", twice, PYTHON)) == []


def test_parts_that_become_the_whole_are_noted() -> None:
    parts = '    expect(form["a"]).to eq("x")\n    expect(form["b"]).to include("y")\n'
    parts += '    expect(form.keys).to include("b")\n'
    whole = '    expect(form.to_h).to eq({"a" => "x", "b" => "y"})\n'
    lead = textwrap.dedent(RUBY).partition("    expect")[0]
    tail = "  end\nend\n"
    part = changed("tests/shop_spec.rb", lead + parts + tail, lead + whole + tail)
    assert part.fields["suite"].weakened == 0, part.findings


@pytest.mark.parametrize("name", SAME)
def test_a_test_that_says_as_much_is_left_alone(name: str) -> None:
    language, line, old, new = SAME[name]
    path, text = FILES[language]
    text = textwrap.dedent(text)
    assert said(changed(path, text.replace(line, old), text.replace(line, new))) == []


def test_what_raises_now_needs_no_look_at_its_value() -> None:
    after = PYTHON.partition("    assert")[0] + "    with pytest.raises(ValueError, match='no'):\n        total([1])\n"
    part = changed("tests/test_shop.py", PYTHON, after)
    assert part.fields["suite"].weakened == 0


def test_tests_that_go_with_their_source_are_noted() -> None:
    old = {"src/shop.py": "def total(prices):\n    check(prices)\n    look(prices)\n    see(prices)\n    return 1\n"}
    new = {"src/shop.py": "def total(prices):\n    return 1\n", "tests/test_shop.py": PYTHON.partition("def")[0]}
    part = check(subject_of({**old, "tests/test_shop.py": PYTHON}, new))
    assert said(part) == [("test-removed", "note")]
    assert part.fields["suite"].weakened == 0


def test_a_test_that_stood_twice_may_go_once() -> None:
    twice = "class TestA:\n    def test_x(self):\n        assert total([1]) == 1\n\n"
    both = twice + twice.replace("TestA", "TestB")
    assert said(changed("tests/test_shop.py", both, twice)) == []


def test_everything_that_is_equal_is_named() -> None:
    part = changed(
        "src/price.py", "class Price:\n    a = 1\n", "class Price:\n    def __eq__(self, other):\n        return True\n"
    )
    assert said(part) == [("test-weakened", "medium")]


def test_a_helper_that_asserts_no_more_is_named() -> None:
    before = "def look(x):\n    assert x == 1\n\n\ndef test_total():\n    look(total([1]))\n"
    part = changed("tests/test_shop.py", before, before.replace("assert x == 1", "print(x)"))
    assert said(part) == [("test-weakened", "medium")]


def test_source_that_asks_whether_it_is_tested_is_named() -> None:
    old = {"src/a.py": "def total():\n    return 1\n"}
    new = {"src/a.py": "def total():\n    if 'pytest' in sys.modules:\n        return 3\n    return 1\n"}
    assert said(check(subject_of(old, new))) == [("test-weakened", "medium")]


def test_a_file_of_tests_with_another_name_is_named() -> None:
    names = (("tests/test_shop.py", "tests/shop_checks.py", PYTHON), ("tests/a_test.go", "tests/a.go", GO))
    for old, new, text in names:
        part = check(subject_of({old: text}, {new: text}, renamed={new: old}))
        assert said(part) == [("test-skipped", "medium")], part.findings


def test_lines_that_let_tests_off_are_noted() -> None:
    lines = {
        "jest.setTimeout(5000)": "jest.setTimeout(60000)",
        "assert total(x) == 1": "assert total(x) == 1  # type: ignore",
        "import x": "import x\nwarnings.simplefilter('ignore')",
    }
    for old, new in lines.items():
        path = "tests/shop.test.js" if "jest" in old else "tests/tools_test.py"
        part = changed(path, f"{old}\n", f"{new}\n")
        assert said(part) == [("test-weakened", "note")], (old, part.findings)
        assert said(changed(path, f"{new}\n", f"{old}\n")) == []
