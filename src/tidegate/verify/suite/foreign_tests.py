"""The tests of a file of JavaScript, TypeScript, Go, Java, Ruby or Rust, read with tree-sitter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.verify.suite.dialects import DIALECTS, Dialect
from tidegate.verify.suite.foreign_flow import Flow, called, text_of
from tidegate.verify.suite.python_asserts import EXCUSE
from tidegate.verify.suite.values import Draft, Lookup, TestCase, TestFile, Tests

if TYPE_CHECKING:
    from tree_sitter import Node


def read_foreign(content: bytes, path: str, language: str, lookup: Lookup) -> TestFile | None:
    """The tests of a file, None where it is too broken to be read."""
    dialect = DIALECTS[language]
    root = _parsed(content, dialect, path)
    if root is None or (root.has_error and _broken(root)):
        return None
    text = content.decode("utf-8", "replace")
    helpers = {**_imported(text, path, lookup), **_helpers(root, dialect)}
    around = language in _AROUND and bool(_AROUND[language].search(text))
    drafts: dict[str, Draft] = {}
    builds: dict[str, Callable[[], TestCase]] = {}
    try:
        for found in _tests(root, dialect, _Place()):
            name = found.full_name
            key = name if name not in drafts else f"{name} (line {found.node.start_point[0] + 1})"
            drafts[key] = Draft(text_of(found.node), (found.place, found.expected, found.cases))
            builds[key] = partial(_case, found, dialect, helpers, around=around)
    except RecursionError:
        return None
    return TestFile(
        Tests(drafts, builds, partial(_again, content, path, language, lookup)), own={**helpers, "": around}
    )


# Private

_TEST_CALL = re.compile(r"^(it|test|specify|fit|xit|xtest|xspecify|Deno\.test)((\.\w+)*)(\(.*\)|`[^`]*`)?$", re.DOTALL)
_GROUP_CALL = re.compile(
    r"^(describe|context|suite|fdescribe|xdescribe|RSpec\.describe|feature|xcontext|fcontext)((\.\w+)*)(\(.*\))?$",
    re.DOTALL,
)
_COMMENTED = re.compile(r"^(//|#|/\*)\s*(expect\(|assert|t\.(Error|Fatal)|require\.|await expect\()")
_COMMENTS = frozenset(("comment", "line_comment", "block_comment"))
_AROUND = {
    "JavaScript": re.compile(r"\b(afterEach|after)\s*\([^;]{0,400}?\b(expect|assert|verify)"),
    "Java": re.compile(r"(@After(Each)?\b|\btearDown\(\))[^;]{0,400}?\b(expect|assert|verify)"),
    "Ruby": re.compile(
        r"^\s*(after\b[^\n]*(do|\{)|(def )?teardown\b)(?:(?!\n\s*end)[^;]){0,400}?\b(expect|assert|verify)",
        re.MULTILINE,
    ),
}
_AROUND["TypeScript"] = _AROUND["JavaScript"]
_FILES = ("", ".ts", ".tsx", ".js", ".jsx", ".mjs", "/index.ts", "/index.js")


class _Place(Struct, frozen=True):
    """What is around a test: the names of its groups, and whether they are switched off or run alone."""

    names: tuple[str, ...] = ()
    skipped: str = ""
    alone: bool = False
    inherits: bool = False


class _Found(Struct, frozen=True):
    name: str
    node: Node
    body: Node
    place: _Place
    expected: bool = False
    cases: int = 1

    @property
    def full_name(self) -> str:
        return " > ".join((*self.place.names, self.name))


def _parsed(content: bytes, dialect: Dialect, path: str) -> Node | None:
    import importlib

    from tree_sitter import Language, Parser

    entry = "language_tsx" if path.endswith((".tsx", ".jsx")) and "typescript" in dialect.grammar else dialect.entry
    module = importlib.import_module(dialect.grammar)
    return Parser(Language(getattr(module, entry)())).parse(content).root_node


def _broken(root: Node) -> bool:
    return any(child.type == "ERROR" for child in root.children)


def _helpers(root: Node, dialect: Dialect) -> dict[str, bool]:
    """The functions of the file by name, and whether each asserts by its text."""
    found: dict[str, bool] = {}
    nodes = list(_all(root, dialect.functions))
    for node in nodes:
        inner = node
        if node.type in ("lexical_declaration", "variable_declaration"):
            inner = next((child for child in node.named_children if child.type == "variable_declarator"), node)
            value = inner.child_by_field_name("value")
            if value is None or "function" not in value.type:
                continue
        name = text_of(inner.child_by_field_name("name"))
        if name:
            found[name] = bool(dialect.helpers.search(text_of(node))) or found.get(name, False)
    bodies = {
        name: text_of(node.child_by_field_name("body"))
        for node in nodes
        if (name := text_of(node.child_by_field_name("name")))
    }
    for _ in range(3):
        asserting = {name for name, asserts in found.items() if asserts}
        for name, body in bodies.items():
            if name not in asserting and any(f"{other}(" in body and _calls(body, other) for other in asserting):
                found[name] = True
                asserting.add(name)
    return found


def _calls(body: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\(", body) is not None


def _imported(text: str, path: str, lookup: Lookup) -> dict[str, bool]:
    """Names that a JavaScript test imports from a neighbouring file of tests, and whether that file asserts."""
    found: dict[str, bool] = {}
    for names, source in re.findall(r"import\s+(?:\w+\s*,\s*)?\{([^}]*)\}\s+from\s+[\"'](\.[^\"']+)[\"']", text)[:40]:
        if not re.search(r"test|spec|helper|util|fixture|support|mock", source, re.IGNORECASE):
            continue
        base = _resolved(path, source)
        content = next((read for tail in _FILES if (read := lookup(base + tail)) is not None), b"expect")
        asserts = b"expect" in content or b"assert" in content
        found |= {name.split(" as ")[-1].strip(): asserts for name in names.split(",") if name.strip()}
    return found


def _resolved(path: str, source: str) -> str:
    parts = path.split("/")[:-1]
    for part in source.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _all(root: Node, kinds: frozenset[str]) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type in kinds:
            yield node
        waiting.extend(node.named_children)


def _tests(node: Node, dialect: Dialect, place: _Place) -> Iterator[_Found]:
    for child in node.named_children:
        if dialect.grammar in _CALLED and child.type in dialect.calls:
            found = _of_call(child, place)
            if isinstance(found, _Place):
                yield from _tests(child, dialect, found)
                continue
            if found is not None:
                yield found
                continue
        elif child.type in dialect.functions and "_declar" not in child.type.replace(
            "function_declaration", ""
        ).replace("method_declaration", ""):
            declared = _of_function(child, dialect, place)
            if declared is not None:
                yield declared
                continue
        inner = place
        if child.type in ("class_declaration", "class", "module", "mod_item"):
            name = text_of(child.child_by_field_name("name"))
            marks = text_of(next((one for one in child.children if one.type == "modifiers"), None))
            off = re.search(r"@(Disabled|Ignore)\b[^\n]*", marks)
            base = child.child_by_field_name("superclass") is not None
            inner = _Place((*place.names, name), off[0] if off else place.skipped, place.alone, base or place.inherits)
        yield from _tests(child, dialect, inner)


_CALLED = ("tree_sitter_javascript", "tree_sitter_typescript", "tree_sitter_ruby")


def _of_call(node: Node, place: _Place) -> _Found | _Place | None:
    what = called(node)
    arguments = node.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    block = node.child_by_field_name("block")
    group, test = _GROUP_CALL.match(what), _TEST_CALL.match(what)
    if (group is None and test is None) or (block is None and len(given) < 2 and not (test and ".todo" in what)):
        return None
    name = re.sub(r"\s+", " ", text_of(given[0]).strip("\"'`")) if given else ""
    matched = group or test
    marks = f"{matched[1]}{matched[2]}" if matched else ""
    off = f"`{marks}`" if re.search(r"^x|\.skip\b|\.todo|\.failing|\.fixme", marks) else place.skipped
    alone = place.alone or bool(re.search(r"^f(it|describe|context)|\.only\b", marks))
    if group is not None:
        return _Place((*place.names, name), off, alone, place.inherits)
    body = block if block is not None else next((one for one in reversed(given) if "function" in one.type), None)
    if body is None:
        return None
    table = re.search(r"\.each\b", what)
    cases = max(1, what.count("\n")) if table else 1
    return _Found(name, node, body, _Place(place.names, off, alone, place.inherits), cases=cases)


def _of_function(node: Node, dialect: Dialect, place: _Place) -> _Found | None:
    name, body = text_of(node.child_by_field_name("name")), node.child_by_field_name("body")
    if body is None:
        return None
    if dialect.grammar == "tree_sitter_go":
        return _Found(name, node, body, place) if _is_go_test(node, name) else None
    if dialect.grammar == "tree_sitter_ruby":
        return _Found(name, node, body, place) if name.startswith("test_") and place.inherits else None
    if dialect.grammar == "tree_sitter_java":
        marks = text_of(next((one for one in node.children if one.type == "modifiers"), None))
        if not re.search(r"@(Test|ParameterizedTest|RepeatedTest|Theory)\b", marks):
            return None
        off = re.search(r"@(Disabled|Ignore)\b[^\n]*", marks)
        place = _Place(place.names, f"`{off[0].strip()}`" if off else place.skipped, place.alone, place.inherits)
        return _Found(name, node, body, place, bool(re.search(r"expected\s*=|timeout\s*=|@Timeout", marks)))
    if dialect.grammar == "tree_sitter_rust":
        marks = _attributes(node)
        if not re.search(r"#\[(\w+::)*test\b|#\[rstest|#\[test_case", marks):
            return None
        off = re.search(r"#\[ignore\b[^\]]*\]", marks)
        place = _Place(place.names, f"`{off[0]}`" if off else "", place.alone, place.inherits)
        return _Found(name, node, body, place, "should_panic" in marks)
    return None


def _is_go_test(node: Node, name: str) -> bool:
    return (
        bool(re.match(r"Test([A-Z_0-9]|$)", name)) and "testing.T" in text_of(node.child_by_field_name("parameters"))
    ) or (node.type == "method_declaration" and bool(re.match(r"Test[A-Z]", name)))


def _attributes(node: Node) -> str:
    found, before = [], node.prev_named_sibling
    while before is not None and before.type in ("attribute_item", "line_comment"):
        found.append(text_of(before))
        before = before.prev_named_sibling
    return "\n".join(found)


def _again(content: bytes, path: str, language: str, lookup: Lookup) -> Tests:
    found = read_foreign(content, path, language, lookup)
    return found.tests if found is not None and isinstance(found.tests, Tests) else Tests({}, {}, None)


def _case(found: _Found, dialect: Dialect, helpers: Mapping[str, bool], *, around: bool) -> TestCase:
    flow = Flow(dialect, helpers, found.name)
    flow.read(found.body)
    source = text_of(found.node)
    text = " ".join(_leaves(found.node))
    may = any(sign in source for sign in ("//", "/*", "#"))
    comments = [text_of(node) for node in _all(found.body, _COMMENTS)] if may else []
    unseen = flow.unseen or found.expected or around or _may_assert(flow, found, dialect, helpers)
    excuse = EXCUSE.search(" ".join([*found.place.names, re.sub(r"([a-z])([A-Z])", r"\1 \2", found.name), *comments]))
    line = found.node.start_point[0] + 1
    return TestCase(
        name=found.full_name,
        line=line,
        end_line=found.node.end_point[0] + 1,
        text=text,
        words=frozenset(re.findall(r"[A-Za-z_]\w{2,}", source)),
        assertions=tuple(flow.assertions),
        skipped=found.place.skipped or flow.skipped,
        maybe_skipped=flow.maybe_skipped,
        alone=found.place.alone,
        excused=excuse[0] if excuse else "",
        unseen=unseen,
        commented=sum(bool(_COMMENTED.match(comment)) for comment in comments),
        cases=found.cases,
        repeats=flow.repeats or ".forEach(" in source or ".each" in source,
    )


def _may_assert(flow: Flow, found: _Found, dialect: Dialect, helpers: Mapping[str, bool]) -> bool:
    """Whether something that is called may assert where it cannot be read."""
    body = text_of(found.body)
    if dialect.grammar in _CALLED[:2]:
        parameters = text_of(found.body.child_by_field_name("parameters"))
        done = re.match(r"\(?\s*(done|cb|t|assert|end|next|callback)\b", parameters)
        return bool(done and re.search(rf"\b{done[1]}\b", text_of(found.body.child_by_field_name("body"))))
    if dialect.grammar == "tree_sitter_go":
        return bool(re.search(r"\.Run\([^(){}]*\)", body)) or any(
            re.search(rf"\b{re.escape(name)}\((t|tt|s\.T\(\)|c|b)\b", body)
            and helpers.get(name, True)
            and not name.startswith("t.")
            for name in flow.named
        )
    if dialect.grammar == "tree_sitter_java":
        # A bare name that is not of this file is inherited or imported statically.
        return any("." not in name and name not in helpers and name not in _MOCKITO for name in flow.named)
    if dialect.grammar == "tree_sitter_ruby":
        return any("." not in name and name not in helpers and name not in _RUBY for name in flow.named)
    return "?" in body


_MOCKITO = frozenset("mock when spy doReturn doNothing given lenient any anyString anyInt eq".split())
_RUBY = frozenset(
    "get post put delete patch puts p print require lambda proc let before after subject format sleep allow double "
    "receive instance_double class_double create build".split()
)


def _leaves(node: Node) -> Iterator[str]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.type in ("comment", "line_comment", "block_comment"):
            continue
        if not one.children or "string" in one.type:
            yield text_of(one).replace("'", '"')
        else:
            waiting.extend(reversed(one.children))
