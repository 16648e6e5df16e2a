"""How tests look in the languages that are read with tree-sitter: node kinds, and words that assert or switch off."""

from __future__ import annotations

import re

from msgspec import Struct


class Dialect(Struct, frozen=True):
    """One language. `asserts` is searched in what is called, `helpers` in the text of a helper of the same file.

    `catches` matches the head of a handler that catches a failed assertion too. `quiet` matches calls in a handler that
    do nothing about it. Kinds are tree-sitter's.
    """

    grammar: str
    calls: frozenset[str]
    asserts: re.Pattern[str]
    helpers: re.Pattern[str]
    catches: re.Pattern[str]
    exact: re.Pattern[str]
    close: re.Pattern[str]
    functions: frozenset[str]
    entry: str = "language"
    handlers: frozenset[str] = frozenset(("catch_clause", "rescue"))
    tries: frozenset[str] = frozenset(("try_statement", "begin", "try_with_resources_statement"))
    ends: frozenset[str] = frozenset(("return_statement", "return", "throw_statement", "return_expression"))
    ifs: frozenset[str] = frozenset(("if_statement", "if", "if_expression"))
    loops: frozenset[str] = frozenset(
        (
            "for_statement",
            "for_in_statement",
            "enhanced_for_statement",
            "while_statement",
            "for_expression",
            "for",
            "while",
        )
    )


_ANY = (
    r"assert|expect|verif|(^|[._])(check|ensure|should|validate|must|fail|compare|match(es)?Snapshot)(_|$|[A-Z])"
    r"|(^|\.)(check|ensure|compare|should|must|validate)[A-Z_]"
)

_JAVASCRIPT = Dialect(
    grammar="tree_sitter_javascript",
    calls=frozenset(("call_expression",)),
    asserts=re.compile(
        _ANY + r"|^(await )?(t|tap|test|is|cy|chai)\.(is|equal|equals|same|ok|true|false|not|deepEqual|deepEquals|"
        r"strictEqual|notOk|throws|throwsAsync|fail|pass|like|snapshot|truthy|falsy|plan|strictSame|match|has|contains|"
        r"doesNotThrow|rejects|error|ifError|get|contains)$|\b(getBy|findBy|getAllBy|findAllBy)\w+$|\.eventually\b|"
        r"[sS]napshot|waitFor\w*$|\bsinon\.assert|(^|\.)(is)?Done$"
    ),
    helpers=re.compile(r"\bexpect|\bassert|\bshould\b|\bthrow\b|\bt\.\w+\("),
    catches=re.compile(r""),
    exact=re.compile(
        r"\.(toBe|toEqual|toStrictEqual|toHaveBeenCalledWith|toHaveBeenCalledTimes|toHaveBeenLastCalledWith|"
        r"toHaveBeenNthCalledWith|toHaveLength|toHaveTextContent|toHaveValue|toMatchInlineSnapshot|toMatchSnapshot|equals?|"
        r"eql|eq|deepEqual|strictEqual|deepStrictEqual|calledWith|calledOnceWith|lengthOf|is|same)$"
    ),
    close=re.compile(
        r"\.(toMatchObject|toContain\w*|toMatch|toBeCloseTo|toBe(Greater|Less)\w+|toHaveProperty|toThrow\w*|includes?|"
        r"members|match|throws?|toHaveBeenCalledOnce|calledOnce|closeTo|above|below|least|most|keys|property|contains?)$"
    ),
    functions=frozenset(("function_declaration", "lexical_declaration", "variable_declaration", "method_definition")),
)
DIALECTS: dict[str, Dialect] = {
    "JavaScript": _JAVASCRIPT,
    "Go": Dialect(
        grammar="tree_sitter_go",
        calls=frozenset(("call_expression",)),
        asserts=re.compile(
            _ANY + r"|^(t|tt|tb|b|c|s|st|suite)\.(Error|Errorf|Fatal|Fatalf|Fail|FailNow)$|"
            r"^(require|is|qt|cmp|Expect|Ω|Eventually|"
            r"Consistently|must|td|gotest)\.|^(panic|log\.Fatal\w*|Expect|Ω|Eventually|Consistently)$|^(a|r|s)\.(Equal|No|True|Nil|"
            r"Error|Len|Contains|False|Empty)\w*$|\.(Equal|NoError|Nil|NotNil|True|False|Len|Contains|Error|ErrorIs|Empty)$"
        ),
        helpers=re.compile(r"\.(Error|Fatal|Fail)\w*\(|\b(assert|require)\b|panic\(|Expect\("),
        catches=re.compile(r"(?!)"),
        exact=re.compile(r"\.(Equal|Equals|EqualValues|Exactly|JSONEq|ElementsMatch|Same|Len|EqualError|DeepEqual)f?$"),
        close=re.compile(
            r"\.(Contains|InDelta|InEpsilon|Greater\w*|Less\w*|Regexp|Subset|ErrorIs|ErrorAs|ErrorContains)f?$"
        ),
        functions=frozenset(("function_declaration", "method_declaration")),
        handlers=frozenset(),
        tries=frozenset(),
    ),
    "Java": Dialect(
        grammar="tree_sitter_java",
        calls=frozenset(("method_invocation",)),
        asserts=re.compile(_ANY + r"|(^|\.)(fail|thrown\.\w+|isEqualTo|andDo|andReturn)$"),
        helpers=re.compile(r"\bassert|\bverify|\bfail\(|\bexpect|\bthrow\b"),
        catches=re.compile(r"\b(Throwable|Error|AssertionError)\b"),
        exact=re.compile(
            r"(^|\.)(assert(Equals|Same|ArrayEquals|IterableEquals|LinesMatch)|isEqualTo|isSameAs|containsExactly\w*)$"
        ),
        close=re.compile(
            r"(^|\.)(assertThrows|contains\w*|hasSize|startsWith|endsWith|is(Close|Greater|Less|Between)\w*|matches)$"
        ),
        functions=frozenset(("method_declaration",)),
    ),
    "Ruby": Dialect(
        grammar="tree_sitter_ruby",
        calls=frozenset(("call",)),
        asserts=re.compile(
            _ANY
            + r"|(^|\.)(refute\w*|flunk|wont_\w+|must_\w+|is_expected|to|to_not|not_to|should\w*|raise|fail|have_\w+)$"
        ),
        helpers=re.compile(r"\b(assert|refute|expect|must_|wont_|should|raise|flunk|is_expected)"),
        catches=re.compile(r"\b(Exception|Minitest::Assertion|RSpec::Expectations)\b"),
        exact=re.compile(r"(^|\.)(assert_(equal|same|match_array|response|redirected_to|difference)|must_equal)$"),
        close=re.compile(r"(^|\.)(assert_(raises|includes?|match|in_delta|operator)|must_(include|match))$"),
        functions=frozenset(("method",)),
    ),
    "Rust": Dialect(
        grammar="tree_sitter_rust",
        calls=frozenset(("call_expression", "macro_invocation")),
        asserts=re.compile(_ANY + r"|(^|::|\.)(panic|unreachable|todo|unwrap\w*|prop_assert\w*|bail)$|snapshot"),
        helpers=re.compile(
            r"assert|panic!|unwrap|expect\(|\b(?!(?:vec|format|e?println|e?print|dbg|writeln?|matches|concat|json)!)\w+!\s*[({\[]"
        ),
        catches=re.compile(r"(?!)"),
        exact=re.compile(r"(^|::)(debug_)?assert_eq$"),
        close=re.compile(r"(^|::)(assert_(matches|ne|relative_eq|abs_diff_eq|approx_eq)|assert)$"),
        functions=frozenset(("function_item",)),
    ),
}
DIALECTS["TypeScript"] = Dialect(
    **{
        name: getattr(_JAVASCRIPT, name)
        for name in ("calls", "asserts", "helpers", "catches", "exact", "close", "functions")
    },
    grammar="tree_sitter_typescript",
    entry="language_typescript",
)
