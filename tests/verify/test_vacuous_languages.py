"""Tests that cannot fail in JavaScript, TypeScript, Go, Java, Ruby and Rust: each reason, and what is left alone."""

from __future__ import annotations

import pytest

from tidegate.verify.suite.python_tests import read_python
from tidegate.verify.suite.readers import read_tests
from tidegate.verify.suite.vacuous import Verdict, judge

PATHS = {
    "JavaScript": "tests/a.test.js",
    "TypeScript": "tests/a.test.ts",
    "Go": "a_test.go",
    "Java": "src/test/java/ATest.java",
    "Ruby": "test/a_test.rb",
    "RSpec": "spec/a_spec.rb",
    "Rust": "tests/a.rs",
}
AROUND = {
    "JavaScript": "test('a', async () => {\nBODY\n})\n",
    "TypeScript": "test('a', async () => {\nBODY\n})\n",
    "Go": "package a\n\nfunc TestA(t *testing.T) {\nBODY\n}\n",
    "Java": "class ATest {\n@Test\nvoid a() {\nBODY\n}\n}\n",
    "Ruby": "class ATest < Minitest::Test\ndef test_a\nBODY\nend\nend\n",
    "RSpec": "describe 'a' do\nit 'b' do\nBODY\nend\nend\n",
    "Rust": "#[test]\nfn a() {\nBODY\n}\n",
}
REAL = {
    "JavaScript": "expect(total([1])).toBe(1)",
    "TypeScript": "expect(total([1])).toBe(1)",
    "Go": "if total() != 1 {\nt.Fatal(1)\n}",
    "Java": "assertEquals(1, total());",
    "Ruby": "assert_equal 1, total([1])",
    "RSpec": "expect(total([1])).to eq(1)",
    "Rust": "assert_eq!(total(), 1);",
}


def nothing(_: str) -> bytes | None:
    """There are no other files."""
    return None


def verdict(language: str, body: str, around: str = "") -> Verdict | None:
    source = (around or AROUND[language]).replace("BODY", body)
    spoken = "Ruby" if language == "RSpec" else language
    read = read_tests(source.encode(), PATHS[language], spoken, nothing)
    assert read is not None
    assert len(read.tests) == 1
    return judge(next(iter(read.tests.values())))


VACUOUS = [
    *((language, "Shop.total();", "asserts nothing") for language in REAL),
    ("JavaScript", "expect(true).toBe(true)", "compares constants"),
    ("JavaScript", "const wanted = 3\nexpect(wanted).toBe(3)", "constants of the test itself"),
    ("JavaScript", "const found = total([1])\nexpect(found).toEqual(found)", "with itself"),
    ("JavaScript", "expect(total([1]))", "no matcher"),
    ("JavaScript", "expect(total([1])).toBe", "matcher is not called"),
    ("JavaScript", "expect(load()).resolves.toBe(1)", "not awaited"),
    ("JavaScript", "const load = jest.fn(() => 3)\nexpect(load()).toBe(3)", "told it to answer"),
    ("JavaScript", "const load = vi.fn().mockResolvedValue(3)\nexpect(await load(1)).toBe(3)", "told it to answer"),
    ("JavaScript", "try {\nREAL\n} catch (error) {\nconsole.log(error)\n}", "swallowed"),
    ("JavaScript", "try {\ntotal()\n} catch (error) {\nexpect(error).toBe(1)\n}", "only if something is thrown"),
    ("JavaScript", "return\nREAL", "after the `return`"),
    ("JavaScript", "if (false) {\nREAL\n}", "`if false`"),
    ("JavaScript", "for (const one of []) {\nREAL\n}", "loop over nothing"),
    ("JavaScript", "[].forEach((one) => {\nREAL\n})", "loop over nothing"),
    ("JavaScript", "const look = () => {\nREAL\n}", "nothing calls"),
    ("JavaScript", "function look() {\nREAL\n}", "nothing calls"),
    ("JavaScript", "const app = new App()\nexpect(app).toBeDefined()", "new object"),
    ("JavaScript", "total()\n// REAL", "commented out"),
    ("TypeScript", "const wanted: number = 3\nexpect(wanted).toBe(3)", "constants of the test itself"),
    ("TypeScript", "expect(load()).rejects.toThrow()", "not awaited"),
    ("Go", "if 1 != 1 {\nt.Fatal(1)\n}", "compares constants"),
    ("Go", 'wanted := 3\nif wanted != 3 {\nt.Errorf("no")\n}', "compares constants"),
    ("Go", "assert.True(t, true)", "always true"),
    ("Go", "require.Equal(t, 1, 1)", "compares constants"),
    ("Go", "found := total()\nassert.Equal(t, found, found)", "with itself"),
    ("Go", "shop := &Shop{}\nassert.NotNil(t, shop)", "new object"),
    ("Go", "return\nREAL", "after the `return`"),
    ("Go", "if false {\nREAL\n}", "`if false`"),
    ("Go", "for _, one := range []int{} {\n_ = one\nREAL\n}", "loop over nothing"),
    ("Go", "_ = func() {\nREAL\n}", "nothing calls"),
    ("Go", 't.Skip("later")\nREAL', "never runs"),
    ("Go", "if total() != 1 {\nt.Log(1)\n}", "asserts nothing"),
    ("Java", "assertTrue(true);", "always true"),
    ("Java", "int wanted = 3;\nassertEquals(3, wanted);", "constants of the test itself"),
    ("Java", "int found = Shop.total();\nassertEquals(found, found);", "with itself"),
    ("Java", "Shop shop = new Shop();\nassertNotNull(shop);", "new object"),
    (
        "Java",
        "Shop shop = mock(Shop.class);\nwhen(shop.total()).thenReturn(3);\nassertEquals(3, shop.total());",
        "told",
    ),
    ("Java", "try {\nREAL\n} catch (Throwable e) {\n// later\n}", "swallowed"),
    (
        "Java",
        "try {\nShop.total();\n} catch (IOException e) {\nassertEquals(1, e.code);\n}",
        "only if something is thrown",
    ),
    ("Java", "if (true) return;\nREAL", "after the `return`"),
    ("Java", "if (false) {\nREAL\n}", "`if false`"),
    ("Java", "for (String one : List.of()) {\nREAL\n}", "loop over nothing"),
    ("Java", "Runnable look = () -> {\nREAL\n};", "nothing calls"),
    ("Java", "Shop.total();\n// REAL", "commented out"),
    ("Ruby", "assert true", "always true"),
    ("Ruby", "wanted = 3\nassert_equal 3, wanted", "constants of the test itself"),
    ("Ruby", "found = Shop.total([1])\nassert_equal found, found", "with itself"),
    ("Ruby", "begin\nREAL\nrescue Exception => e\nputs e\nend", "swallowed"),
    ("Ruby", "return\nREAL", "after the `return`"),
    ("Ruby", "if false\nREAL\nend", "`if false`"),
    ("Ruby", "[].each do |one|\nREAL\nend", "loop over nothing"),
    ("Ruby", "look = lambda do\nREAL\nend", "nothing calls"),
    ("Ruby", "skip 'later'\nREAL", "never runs"),
    ("Ruby", "Shop.total([1])\n# REAL", "commented out"),
    ("RSpec", "expect(true).to be true", "always true"),
    ("RSpec", "expect(1).to eq(1)", "compares constants"),
    ("RSpec", "expect(Shop.total([1]))", "no matcher"),
    ("RSpec", "shop = double\nallow(shop).to receive(:total).and_return(3)\nexpect(shop.total).to eq(3)", "told"),
    ("Rust", "assert!(true);", "always true"),
    ("Rust", "let wanted = 3;\nassert_eq!(wanted, 3);", "constants of the test itself"),
    ("Rust", "let found = total();\nassert_eq!(found, found);", "with itself"),
    ("Rust", "let _ = std::panic::catch_unwind(|| {\nREAL\n});", "caught and forgotten"),
    ("Rust", "return;\nREAL", "after the `return`"),
    ("Rust", "if false {\nREAL\n}", "`if false`"),
    ("Rust", "for _ in 0..0 {\nREAL\n}", "loop over nothing"),
    ("Rust", "let _look = || {\nREAL\n};", "nothing calls"),
    ("Rust", "total();\n// REAL", "commented out"),
]


@pytest.mark.parametrize(("language", "body", "words"), VACUOUS)
def test_each_reason_is_said(language: str, body: str, words: str) -> None:
    found = verdict(language, body.replace("REAL", REAL[language]))
    assert found is not None
    assert words in found.reason
    assert not found.meant


OFF = {
    "JavaScript": "test.skip('a', () => {\nBODY\n})\n",
    "Java": 'class ATest {\n@Test\n@Disabled("later")\nvoid a() {\nBODY\n}\n}\n',
    "RSpec": "describe 'a' do\nxit 'b' do\nBODY\nend\nend\n",
    "Rust": '#[test]\n#[ignore = "later"]\nfn a() {\nBODY\n}\n',
}


@pytest.mark.parametrize("language", OFF)
def test_a_test_that_is_switched_off_never_runs(language: str) -> None:
    found = verdict(language, REAL[language], OFF[language])
    assert found is not None
    assert "never runs" in found.reason


SOUND = [
    *((language, body) for language, body in REAL.items()),
    ("JavaScript", "let called = false\non(() => { called = true })\nexpect(called).toBe(true)"),
    ("JavaScript", "const load = jest.fn(() => 3)\nexpect(total(load)).toBe(3)"),
    ("JavaScript", "const look = () => {\nREAL\n}\nlook()"),
    ("JavaScript", "const cases = [1]\nfor (const one of cases) {\nREAL\n}"),
    ("JavaScript", "await expect(load()).resolves.toBe(1)"),
    ("JavaScript", "try {\ntotal()\nthrow new Error('no')\n} catch (error) {\nexpect(error.message).toBe('x')\n}"),
    ("Go", "wanted := 3\nset(&wanted)\nif wanted != 3 {\nt.Fatal(1)\n}"),
    ("Go", "look := func() {\nREAL\n}\nlook()"),
    ("Java", "int wanted = 3;\nwanted++;\nassertEquals(4, wanted);"),
    ("Java", "try {\nREAL\n} catch (IOException e) {\n}"),
    ("Java", "when(shop.total()).thenReturn(3);\nassertEquals(3, report(shop));"),
    ("Ruby", "wanted = 3\non { wanted = 4 }\nassert_equal 4, wanted"),
    ("Ruby", "begin\nREAL\nrescue ArgumentError\nend"),
    ("RSpec", "allow(shop).to receive(:total).and_return(3)\nexpect(report(shop)).to eq(3)"),
    ("Java", "looksRight(total());"),
    ("Ruby", "skip 'later' if old?\nREAL"),
    ("Rust", "let mut n = 3;\nset(&mut n);\nassert_eq!(n, 4);"),
    ("Rust", "if total() != 1 {\npanic!();\n}"),
]


@pytest.mark.parametrize(("language", "body"), SOUND)
def test_what_can_fail_is_left_alone(language: str, body: str) -> None:
    assert verdict(language, body.replace("REAL", REAL[language])) is None


def test_a_macro_of_the_file_may_assert() -> None:
    around = "fn look() {\nlook_at!(total());\n}\n#[test]\nfn a() {\nBODY\n}\n"
    assert verdict("Rust", "look();", around) is None


def test_words_about_after_in_a_comment_hide_nothing() -> None:
    around = "package a\n\n// after this, assert nothing\nfunc TestA(t *testing.T) {\nBODY\n}\n"
    assert verdict("Go", "total()", around) is not None


PYTHON = {
    "which nothing calls": "def test_it():\n    def look():\n        assert total([1]) == 1\n",
    "which is never awaited": "def test_it():\n    async def look():\n        assert total([1]) == 1\n    look()\n",
    "does not await": "class TestIt(unittest.TestCase):\n    async def test_it(self):\n"
    "        self.assertEqual(total([1]), 1)\n",
    "has no cases": "@pytest.mark.parametrize('one', [])\ndef test_it(one):\n    assert total([one]) == 1\n",
    "loop over nothing": "def test_it():\n    cases = []\n    for one in cases:\n        assert total([one]) == 1\n",
    "is not called": "def test_it():\n    watch = Mock()\n    total(watch)\n    watch.assert_called_once\n",
    "answers to any name": "def test_it():\n    watch = Mock()\n    total(watch)\n"
    "    assert watch.called_once_with(1)\n",
    "told it to answer": "def test_it():\n    with patch.object(shop, 'total', return_value=7):\n"
    "        assert shop.total(1) == 7\n",
    "asserts nothing": "@pytest.mark.parametrize('cls', [A])\ndef test_it(cls):\n    cls(1)\n",
    "is always true": "def test_it():\n    assert total([1]) == 1 or True\n",
}


@pytest.mark.parametrize("words", PYTHON)
def test_python_too(words: str) -> None:
    found = python(PYTHON[words])
    assert found is not None
    assert words in found.reason


PYTHON_SOUND = (
    "def test_it():\n    def look():\n        assert total([1]) == 1\n    run(look)\n",
    "def test_it():\n    @on('sum')\n    def look():\n        assert total([1]) == 1\n    fire('sum')\n",
    "async def test_it():\n    async def look():\n        assert total([1]) == 1\n    await look()\n",
    "def test_it():\n    async def look():\n        assert total([1]) == 1\n    asyncio.run(look())\n",
    "class TestIt(IsolatedAsyncioTestCase):\n    async def test_it(self):\n        self.assertEqual(total([1]), 1)\n",
    "def test_it():\n    seen = []\n    total(seen.append)\n    for one in seen:\n        assert one == 1\n",
    "def test_patched():\n    with patch.object(shop, 'total', return_value=7):\n        assert report() == 7\n",
    "def test_it():\n    watch = Mock()\n    total(watch)\n    watch.assert_called_once()\n",
    "def test_it(app):\n    app.get('/', status=404)\n",
    "def test_it():\n    script('''\nassert total([1]) == 1\n''')\n",
)


@pytest.mark.parametrize("body", PYTHON_SOUND)
def test_python_that_can_fail_is_left_alone(body: str) -> None:
    assert python(body) is None


def test_a_benchmark_need_not_assert() -> None:
    found = python("def test_it():\n    total([1])\n", "bench/test_it.py")
    assert found is not None
    assert found.meant


def python(body: str, path: str = "tests/test_it.py") -> Verdict | None:
    read = read_python(body.encode(), path, nothing)
    assert read is not None
    return judge(list(read.tests.values())[-1])
