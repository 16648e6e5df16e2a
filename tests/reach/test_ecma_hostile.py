"""Sources that want to break the reader: it ends, in bounded time, and says what it could not read."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reach.ecma_text import read
from tidegate.reach.languages.javascript import JAVASCRIPT
from tidegate.reach.languages.typescript import TYPESCRIPT

NESTED = {
    "open brackets": b"[" * 10000,
    "brackets": b"x = " + b"[" * 10000 + b"]" * 10000,
    "parentheses": b"x = " + b"(" * 10000 + b"1" + b")" * 10000,
    "calls": b"x = " + b"f(" * 10000 + b")" * 10000,
    "a chain of calls": b"x" + b".a()" * 10000,
    "members": b"x" + b".abc" * 20000,
    "sums": b"x = " + b"a + " * 10000 + b"b",
    "choices": b"x = " + b"a ? b : " * 5000 + b"b",
    "alternatives": b"x = " + b"a || " * 10000 + b"b",
    "functions": b"function f(){" * 1000 + b"}" * 1000,
    "arrows": b"x = " + b"() => " * 5000 + b"1",
    "callbacks": b"f(() => {" * 3000 + b"})" * 3000,
    "objects": b"x = " + b"{a:" * 5000 + b"1" + b"}" * 5000,
    "assignments": b"a.b = " * 5000 + b"1",
    "classes": b"class A { x = " * 500 + b"1" + b"}" * 500,
    "elements": b"x = " + b"<A>" * 3000 + b"</A>" * 3000,
    "patterns": b"const " + b"{a:" * 3000 + b"x" + b"}" * 3000 + b" = y",
    "templates": b"x = " + b"`${" * 2000 + b"1" + b"}`" * 2000,
    "suites": b'describe("a",()=>{' * 500 + b'it("x",()=>{})' + b"})" * 500,
}


@pytest.mark.parametrize("name", NESTED)
def test_deep_nesting_ends(name: str) -> None:
    source = NESTED[name]
    started = time.process_time()
    symbols = JAVASCRIPT.read_symbols(source, ".js")
    digests = JAVASCRIPT.read_digests(source, ".js")
    assert time.process_time() - started < 4
    assert symbols.error == ""
    assert len(symbols.definitions) == len(digests)


def test_every_call_of_deep_nesting_is_read() -> None:
    symbols = JAVASCRIPT.read_symbols(NESTED["calls"], ".js")
    assert sum(one.kind == "call" for one in symbols.references) == 10000


def test_deep_types_end() -> None:
    symbols = TYPESCRIPT.read_symbols(b"type X = " + b"A<" * 3000 + b"B" + b">" * 3000 + b";", ".ts")
    assert [one.name for one in symbols.definitions] == ["", "X"]


def test_a_file_with_nul_bytes_is_not_read() -> None:
    assert read(b"a\0b").error == "holds NUL bytes"
    assert TYPESCRIPT.read_digests(b"a\0b", ".ts") == ()


def test_an_empty_file_is_a_module() -> None:
    assert [one.kind for one in read("").definitions] == ["module"]


def test_invalid_text_is_read_around() -> None:
    symbols = read(b'const caf\xc3\xa9 = "\xff\xfe"; foo(caf\xc3\xa9); bar();\n', ".js")
    assert [one.name for one in symbols.definitions] == ["", "caf\u00e9"]
    assert [one.chain for one in symbols.references if one.kind == "call"] == ["foo", "bar"]


def test_a_byte_order_mark_is_no_part_of_the_source() -> None:
    assert [one.name for one in read(b"\xef\xbb\xbffunction a() {}").definitions] == ["", "a"]


def test_one_line_of_five_megabytes() -> None:
    symbols = read(b'x = "' + b"a" * 5_000_000 + b'"; f();', ".js")
    assert [one.chain for one in symbols.references if one.kind == "call"] == ["f"]


def test_broken_syntax_is_said_and_the_rest_is_kept() -> None:
    symbols = read(
        """
        function a() { b(); }
        @@@ %% ((
        function c() { d(); }
        """,
        ".js",
    )
    assert [one.name for one in symbols.definitions] == ["", "a", "c"]
    assert {one.reason for one in symbols.gaps} == {"syntax"}


def test_a_truncated_file_keeps_what_was_whole() -> None:
    symbols = read("function a(){ return b() }\nclass X { m() { foo(")
    assert "a" in [one.name for one in symbols.definitions]
    assert [one.reason for one in symbols.gaps] == ["syntax"]


def test_many_definitions_take_time_in_proportion() -> None:
    source = b"function f(){ return 1 }\n" * 5000
    started = time.process_time()
    assert len(JAVASCRIPT.read_digests(source, ".js")) == 5001
    assert time.process_time() - started < 3


TEXT = """
a b self exports module.exports require ( ) { } [ ] => = . , ; : ? ! function class extends new this super const let
return if for of in import export default from 'x' `${ }` < > /> * async await yield static get interface type enum
namespace @ # prototype call describe it beforeEach Object.defineProperty 1
"""
WORDS = st.lists(st.sampled_from([*TEXT.split(), "\n"]), max_size=40)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(WORDS, st.sampled_from([".js", ".ts", ".tsx"]))
def test_any_source_gives_sound_symbols(words: list[str], suffix: str) -> None:
    source = " ".join(words).encode()
    language = JAVASCRIPT if suffix == ".js" else TYPESCRIPT
    symbols = language.read_symbols(source, suffix)
    count = len(symbols.definitions)
    assert language.read_symbols(source, suffix) == symbols
    assert all(-1 <= one.parent < count for one in symbols.definitions)
    assert all(0 <= one.scope < count and 0 <= one.within < count and one.value for one in symbols.bindings)
    assert all(0 <= one.within < count and one.chain and one.line >= 1 for one in symbols.references)
    assert "%exports" not in repr(symbols)
    digests = language.read_digests(source, suffix)
    assert [one.name for one in digests] == [one.name for one in symbols.definitions]


def test_what_the_grammar_does_not_know_is_read_all_the_same() -> None:
    symbols = read(
        """
        export type * from "./types";
        export interface Get<
          // variance
          out T extends Base = Base, in U = never> {
          (key: string): T
          // another
          <K extends keyof T>(key: K): T[K]
        }
        export const make = (x: Get<A>): Get<B> => wrap(x);
        """
    )
    assert symbols.gaps == ()
    assert [(one.name, one.line) for one in symbols.definitions] == [("", 1), ("Get", 2), ("make", 9)]
    assert [one.value for one in symbols.bindings if one.name == "*"] == ["<./types>.*"]


@pytest.mark.parametrize("part", [b"/" * 100_000, b"a,\n" * 30_000, b"a\n" * 50_000, b", " * 50_000, b"<in " * 30_000])
def test_repairs_take_time_in_proportion(part: bytes) -> None:
    started = time.process_time()
    read(b"( @ " + part + b"\n <T")
    assert time.process_time() - started < 4
