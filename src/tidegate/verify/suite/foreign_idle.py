"""What an assertion of JavaScript, Go, Java, Ruby or Rust is about, and why it can never fail, by its own text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tidegate.verify.suite.foreign_known import LITERAL, Known

if TYPE_CHECKING:
    from tree_sitter import Node


def subject_of(node: Node, what: str) -> str:
    """What is asserted on: the argument of `expect`, else the first argument that is no literal and no `t`."""
    watched = _watched(node)
    if watched:
        return watched[0]
    given = _given(node, what)
    return next((one for one in given if not LITERAL.fullmatch(one)), given[0] if given else "")


def expected_of(node: Node, what: str) -> str:
    """What the assertion compares with, "" where it compares with nothing."""
    given = _given(node, what)
    if _watched(node):
        return ", ".join(given)
    subject = subject_of(node, what)
    return ", ".join(one for one in given if one != subject)


def idle_condition(condition: str, known: Known) -> str:
    """Why a condition below which a test fails is never true, "" where it may be: it compares constants."""
    found = re.fullmatch(r"\(?\s*([^=!<>]+?)\s*(!=|==)\s*([^=!<>]+?)\s*\)?", condition)
    if found is None:
        return ""
    left, right = known.value(found[1]), known.value(found[3])
    if LITERAL.fullmatch(left) and LITERAL.fullmatch(right) and (left == right) == (found[2] == "!="):
        return f"`if {' '.join(condition.split())[:70]}` compares constants"
    return ""


def idle_reason(node: Node, what: str, name: str, known: Known) -> str:
    """Why an assertion can never fail, "" where it can or where that is not known."""
    text = _text(node)
    short = " ".join(text.split())[:70]
    watched, given = _watched(node), _given(node, what)
    if re.fullmatch(r"expect(\.soft)?", what) and stands_alone(node):
        return f"`{short}` has no matcher"
    if re.search(r"\)\.(resolves|rejects)\.", what) and stands_alone(node):
        return f"`{short}` is not awaited"
    sides = [*watched, *given]
    last = re.split(r"[.:]", what)[-1].lower()
    if watched and not given and re.search(r"tobe(truthy|defined)$", last) and _is_true(known.value(watched[0])):
        return f"`{short}` is always true"
    there = _THERE.search(what) or (watched and _NOT_NIL.search(text))
    if there and next(iter(sides), "").strip() in known.built:
        return f"`{sides[0].strip()}` is a new object, which is always there"
    if re.fullmatch(r"assert_?(true)?|true|ok|assert!?|tobetruthy", last) and len(given) >= 1 and not watched:
        return f"`{short}` is always true" if _is_true(known.value(given[0])) else ""
    if re.search(r"\.(to|is)$", what) and watched and re.search(r"be[ _(]*(true|truthy)\)?$", text):
        return f"`{short}` is always true" if _is_true(known.value(watched[0])) else ""
    if len(sides) < 2 or not _EQUAL.search(what) or re.search(r"\bnot\b|Not|not_|_ne\b|refute", what):
        return ""
    if known.is_told(sides[0]) or known.is_told(sides[1]):
        return f"`{short}` compares a mock with what the test told it to answer"
    left, right = known.value(sides[0]), known.value(sides[1])
    if LITERAL.fullmatch(left) and LITERAL.fullmatch(right):
        own = "" if (left, right) == (sides[0].strip(), sides[1].strip()) else " of the test itself"
        return f"`{short}` compares constants{own}" if left == right else ""
    if left == right and re.fullmatch(r"[\w.$]+", left) and not _ABOUT_EQUALITY.search(name):
        return f"`{short}` compares a value with itself"
    return ""


def stands_alone(node: Node) -> bool:
    """Whether an expression is a whole statement, so that nothing is done with its value."""
    return node.parent is not None and node.parent.type in (
        "expression_statement",
        "body_statement",
        "block_body",
        "then",
    )


# Private

_THERE = re.compile(r"(assertNotNull|refute_nil|\.NotNil|toBeDefined|not\.toBe(Null|Undefined)|isNotNull)$")
_NOT_NIL = re.compile(r"\.(not_to|to_not) be_nil$")
_EQUAL = re.compile(
    r"(toBe|toEqual|toStrictEqual|[eE]qual[s]?|assert_eq|isEqualTo|assert_same|assertSame|must_equal|eql|strictEqual|\.is|\.to)$"
)
_WATCHING = ("expect", "expect.soft", "assertThat", "Expect", "verify", "expectTypeOf")
_ABOUT_EQUALITY = re.compile(r"eq|ident|compar|hash|reflex|same|nan|order|singleton|cache|stable", re.IGNORECASE)


def _text(node: Node) -> str:
    return "" if node.text is None else node.text.decode("utf-8", "replace")


def _is_true(text: str) -> bool:
    return bool(LITERAL.fullmatch(text)) and text.strip().lower() not in (
        "false",
        "null",
        "nil",
        "none",
        "undefined",
        "0",
        '""',
        "''",
    )


def _watched(node: Node) -> list[str]:
    """The arguments of the `expect(...)` or `assertThat(...)` that a chain begins with."""
    inner: Node | None = node
    while inner is not None:
        name = (
            inner.child_by_field_name("function")
            or inner.child_by_field_name("name")
            or inner.child_by_field_name("method")
        )
        left = inner.child_by_field_name("object") or inner.child_by_field_name("receiver")
        called = _text(name) if name is not None and left is None and inner is not node else ""
        if called in _WATCHING and inner.type in ("call_expression", "method_invocation", "call"):
            return _arguments(inner)
        step = left if left is not None else inner.child_by_field_name("function")
        inner = step
    return []


def _given(node: Node, what: str) -> list[str]:
    given = _arguments(node)
    if given and re.fullmatch(r"t|tt|st|tb|\w+\.T\(\)", given[0]) and not _watched(node):
        given = given[1:]
    if re.search(r"\.(to|not_to|to_not)$", what) and given:
        found = re.fullmatch(r"(?:eq|eql|be|equal)[ (]+(.*?)\)?", given[0])
        return [found[1]] if found else given
    return given


def _arguments(node: Node) -> list[str]:
    arguments = node.child_by_field_name("arguments")
    if arguments is not None:
        return [_text(child) for child in arguments.named_children if child.type != "comment"]
    tokens = next((child for child in node.children if child.type == "token_tree"), None)
    return _split(_text(tokens)[1:-1]) if tokens is not None else []


def _split(text: str) -> list[str]:
    """The parts of a list between commas, those inside brackets and quotes left alone."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, sign in enumerate(text):
        if sign == '"' and (at == 0 or text[at - 1] != "\\"):
            quoted = not quoted
        elif not quoted and sign in "([{":
            depth += 1
        elif not quoted and sign in ")]}":
            depth -= 1
        elif sign == "," and not depth and not quoted:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()] if text[start:].strip() else parts
