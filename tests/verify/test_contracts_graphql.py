"""What clients of a GraphQL schema lose, and that GraphQL.js's own comparison (in Python) says the same."""

from __future__ import annotations

import graphql
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verify.changes import subject_of
from tidegate.facts import Finding
from tidegate.verify.contracts.check import check

PATH = "api/schema.graphql"
HEAD = "type Query { ping: Int }\n"


def _found(before: str, after: str) -> tuple[Finding, ...]:
    part = check(subject_of({PATH: HEAD + before}, {PATH: HEAD + after}))
    assert not part.unknowns, part.unknowns
    return part.findings


LOST = {
    "type": ("type A { b: Int }", "", "the type `A` is gone", "high"),
    "field": ("type A { b: Int c: Int }", "type A { c: Int }", "the field `A.b` is gone", "high"),
    "deprecated field": (
        "type A { b: Int @deprecated c: Int }",
        "type A { c: Int }",
        "the field `A.b` is gone, as was announced",
        "low",
    ),
    "kind": ("type A { b: Int }", "input A { b: Int }", "was of the kind type and is input now", "high"),
    "type of a field": ("type A { b: Int }", "type A { b: String }", "was `Int` and is `String` now", "high"),
    "nullable": ("type A { b: Int! }", "type A { b: Int }", "was `Int!` and is `Int` now", "medium"),
    "no list": ("type A { b: [Int] }", "type A { b: Int }", "was `[Int]` and is `Int` now", "high"),
    "argument": ("type A { b(c: Int): Int }", "type A { b: Int }", "the argument `c` of `A.b` is gone", "medium"),
    "needed argument": ("type A { b: Int }", "type A { b(c: Int!): Int }", "now asks for the argument `c`", "medium"),
    "stricter argument": ("type A { b(c: Int): Int }", "type A { b(c: Int!): Int }", "`Int` and is `Int!`", "medium"),
    "value": ("enum E { A B }", "enum E { A }", "the enum `E` no longer has `B`", "high"),
    "member": ("union U = A | B", "union U = A", "the union `U` may no longer be `B`", "medium"),
    "input field": ("input I { a: Int b: Int }", "input I { a: Int }", "the input field `I.b` is gone", "high"),
    "needed input": ("input I { a: Int }", "input I { a: Int b: Int! }", "the input `I` now asks for `b`", "medium"),
    "interface": (
        "interface N { a: Int } type A implements N { a: Int }",
        "interface N { a: Int } type A { a: Int }",
        "`A` no longer implements `N`",
        "medium",
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_clients_of_a_schema_lose(name: str) -> None:
    before, after, said, severity = LOST[name]
    found = _found(before, after)
    assert [one.severity for one in found] == [severity], found
    assert said in found[0].message
    assert found[0].place.path == PATH


KEPT = {
    "added": ("type A { b: Int }", "type A { b: Int c: Int } enum E { A }"),
    "not null any more to be sent": ("type A { b(c: Int!): Int }", "type A { b(c: Int): Int }"),
    "never null": ("type A { b: [Int] }", "type A { b: [Int!]! }"),
    "optional argument": ("type A { b: Int }", "type A { b(c: Int, d: Int! = 3): Int }"),
    "default in an input": ("input I { a: Int }", "input I { a: Int b: Int! = 1 }"),
    "extension": ("type A { b: Int c: Int }", "type A { b: Int } extend type A { c: Int }"),
    "order and words": ('"x" type A { b: Int c: Int }', "# y\ntype A { c: Int, b: Int }"),
    "value": ("enum E { A }", "enum E { A B }"),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_clients_can_still_ask_is_silent(name: str) -> None:
    assert _found(*KEPT[name]) == ()


def test_a_type_may_move_to_another_file_of_the_schema() -> None:
    one, two = "type Query { a: A }", "type A { b: Int }"
    before = {"s/query.graphql": f"{one} {two}"}
    after = {"s/query.graphql": one, "s/a.gql": two}
    assert check(subject_of(before, after)).fields == {"breaks": ()}


def test_two_schemas_in_one_change_are_not_mixed() -> None:
    before = {f"{name}/schema.graphql": f"type Query {{ {name}: Int old: Int }}" for name in ("one", "two")}
    after = {**before, "one/schema.graphql": "type Query { one: Int }", "two/schema.graphql": "type Query { two: Int }"}
    said = [(one.place.path, one.message.partition(", ")[2]) for one in check(subject_of(before, after)).findings]
    assert said == [(f"{name}/schema.graphql", "the field `Query.old` is gone.") for name in ("one", "two")]


def test_the_line_is_that_of_the_type_or_field_at_the_head() -> None:
    before, after = "\n\ntype A {\n  b: Int!\n  c: Int\n}\n", "\n\n\ntype A {\n  b: Int\n}\n"
    assert [(one.place.line, one.severity) for one in _found(before, after)] == [(5, "high"), (6, "medium")]


@pytest.mark.parametrize("path", ["tests/schema.graphql", "web/query.graphql"])
def test_fixtures_and_queries_are_no_contract(path: str) -> None:
    text = "type A { b: Int }" if path.startswith("tests") else "query Q { a b }"
    assert check(subject_of({path: text}, {path: text.replace("b", "c")})).fields == {"breaks": ()}


@pytest.mark.parametrize("after", ["type A {", "{" * 100_000, "type A { a: " + "[" * 50_000, '"\x00"'])
def test_what_is_no_graphql_is_unknown(after: str) -> None:
    part = check(subject_of({PATH: HEAD}, {PATH: after}))
    assert "breaks" not in part.fields
    assert PATH in part.unknowns[0].reason


# The oracle

REFS = st.sampled_from(["Int", "String", "A", "E", "[Int]", "[Int!]", "[A]"]).flatmap(
    lambda name: st.sampled_from([name, f"{name}!"])
)
INPUT_REFS = st.sampled_from(["Int", "Int!", "[Int]", "[Int!]!", "E", "I"])
NAMES = st.sampled_from(["a", "b", "c"])


@st.composite
def schemas(draw: st.DrawFn) -> str:
    arguments = draw(st.dictionaries(NAMES, st.tuples(INPUT_REFS, st.booleans()), max_size=2))
    given_ = ", ".join(
        f"{name}: {ref}" + (" = 1" if default and ref in ("Int", "Int!") else "")
        for name, (ref, default) in arguments.items()
    )
    fields = draw(st.dictionaries(NAMES, REFS, min_size=1, max_size=3))
    body = " ".join(f"{name}{f'({given_})' if given_ else ''}: {ref}" for name, ref in fields.items())
    inputs = " ".join(f"{name}: {ref}" for name, ref in draw(st.dictionaries(NAMES, INPUT_REFS, min_size=1)).items())
    values = " ".join(draw(st.sets(st.sampled_from(["X", "Y", "Z"]), min_size=1)))
    members = " | ".join(sorted(draw(st.sets(st.sampled_from(["A", "B"]), min_size=1))))
    implements = draw(st.sampled_from(["", " implements N"]))
    kind = draw(st.sampled_from(["type", "interface"]))
    return (
        f"type Query {{ q: Int u: U }} interface N {{ n: Int }} type A{implements} {{ n: Int {body} }} "
        f"{kind} M {{ m: Int }} type B {{ b: Int }} input I {{ {inputs} }} enum E {{ {values} }} union U = {members}"
    )


@given(schemas(), schemas())
@settings(max_examples=150, deadline=None)
def test_it_finds_as_much_as_graphql_js(before: str, after: str) -> None:
    old, new = (graphql.build_schema(text, assume_valid_sdl=True) for text in (before, after))
    theirs = [change.description for change in graphql.find_breaking_changes(old, new)]
    ours = check(subject_of({PATH: before}, {PATH: after})).fields["breaks"]
    assert len(ours) == len(theirs), (ours, theirs)
