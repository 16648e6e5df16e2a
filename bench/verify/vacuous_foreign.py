"""Real tests of JavaScript, TypeScript, Go, Java, Ruby and Rust turned into tests that cannot fail, by their syntax.

Each language has its own ways, as templates: BODY is what the test did, PLAIN its statements without those that have a
word of asserting or panicking in them or call a helper of the tests that has, OFF its body commented out.
"""

from __future__ import annotations

import importlib
import random
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec


class Spot(msgspec.Struct):
    """A real test that can be turned: where it begins (`start`), its body's inner text, in bytes."""

    project: str
    path: str
    language: str
    name: str
    source: bytes
    start: int
    end: int
    inner: tuple[int, int]
    plain: str


LANGUAGE_OF = {
    "js": "JavaScript",
    "mjs": "JavaScript",
    "cjs": "JavaScript",
    "jsx": "JavaScript",
    "ts": "TypeScript",
} | {
    "tsx": "TypeScript",
    "go": "Go",
    "java": "Java",
    "rb": "Ruby",
    "rs": "Rust",
}


def every_test(project: str, files: Mapping[str, bytes]) -> Iterator[Spot]:
    """Each test of these files, whatever it does."""
    for path, source in sorted(files.items()):
        language = LANGUAGE_OF.get(path.rpartition(".")[2])
        if language is None or len(source) > 400_000:
            continue
        yield from _spots(project, path, language, source)


def can_be_turned(one: Spot, helpers: frozenset[str]) -> bool:
    """Whether the body asserts by itself, and what is left without its assertions calls no helper that asserts."""
    body = one.source[one.inner[0] : one.inner[1]].decode("utf-8", "replace")
    if not _CLEAR[one.language].search(body) or len(body) > 6000:
        return False
    if re.search(r"\b(should_panic|expected\s*=|fail\(|done\b|raise_error|assert_raises)", body):
        return False
    return helpers.isdisjoint(re.findall(r"\w+", one.plain))


def asserting_names(files: Mapping[str, bytes]) -> frozenset[str]:
    """Functions of the files of tests that have a word of asserting in or near them."""
    found = set()
    for content in files.values():
        text = content.decode("utf-8", "replace")
        for match in re.finditer(
            r"\b(?:function|func|def|fn|void|const|let|static \w+)\s+(?:\([^)]*\)\s*)?(\w{3,})", text
        ):
            if _WORDS.search(text[match.end() : match.end() + 1500]):
                found.add(match[1])
    return frozenset(found)


def ways_of(language: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(way for way, _ in _TEMPLATES["JavaScript" if language == "TypeScript" else language]))


def turned(one: Spot, way: str, random_: random.Random) -> tuple[bytes, int, int]:
    """The file with the test turned, and its lines then."""
    language = "JavaScript" if one.language == "TypeScript" else one.language
    template = random_.choice([text for name, text in _TEMPLATES[language] if name == way])
    text = one.source.decode("utf-8", "surrogateescape")
    raw = one.source
    body = raw[one.inner[0] : one.inner[1]].decode("utf-8", "surrogateescape")
    mark = "#" if language == "Ruby" else "//"
    off = "\n".join(f"{mark} {line}" for line in body.strip("\n").splitlines() if line.strip())
    head, _, template = template.rpartition("@@")
    made = template.replace("BODY", body).replace("PLAIN", one.plain).replace("OFF", off)
    lead = raw[one.start : one.inner[0]].decode("utf-8", "surrogateescape")
    if head.startswith("s/"):
        _, old, new, _ = head.split("/")
        lead = re.sub(old, new, lead, count=1)
    elif head:
        lead = f"{head}\n{lead}"
    before, after = (
        raw[: one.start].decode("utf-8", "surrogateescape"),
        raw[one.inner[1] :].decode("utf-8", "surrogateescape"),
    )
    tail = raw[one.inner[1] : one.end].decode("utf-8", "surrogateescape")
    first = before.count("\n") + 1
    whole = f"{before}{lead}\n{made}\n{after}"
    del text
    return whole.encode("utf-8", "surrogateescape"), first, first + f"{lead}\n{made}\n{tail}".count("\n")


# Private

_WORDS = re.compile(
    r"assert|expect|verif|check|must|should|fail|require|panic|unwrap|throw|raise|\bt\.|\(t[,)]|refute|Errorf|Fatal|\?;|valid"
    r"|\bt\.Run|\.Equal|equal|\bok\(",
    re.IGNORECASE,
)
_CLEAR = {
    "JavaScript": re.compile(r"\bexpect\(|\bassert[.(]"),
    "TypeScript": re.compile(r"\bexpect\(|\bassert[.(]"),
    "Go": re.compile(r"\bt\.(Error|Fatal)f?\(|\b(assert|require)\.\w+\(t,"),
    "Java": re.compile(r"\bassert\w+\("),
    "Ruby": re.compile(r"\bassert\w*[ (]|\bexpect\(|\brefute"),
    "Rust": re.compile(r"\bassert(_eq|_ne)?!\("),
}
_GRAMMARS = {
    "JavaScript": ("tree_sitter_javascript", "language"),
    "TypeScript": ("tree_sitter_typescript", "language_tsx"),
    "Go": ("tree_sitter_go", "language"),
    "Java": ("tree_sitter_java", "language"),
    "Ruby": ("tree_sitter_ruby", "language"),
    "Rust": ("tree_sitter_rust", "language"),
}
_TEMPLATES: dict[str, list[tuple[str, str]]] = {
    "JavaScript": [
        ("removed", "PLAIN"),
        ("tautology", "PLAIN\nexpect(true).toBe(true)"),
        ("tautology", "PLAIN\nexpect(1).toEqual(1)"),
        ("constant", "PLAIN\nconst wanted = 3\nexpect(wanted).toBe(3)"),
        ("swallowed", "try {\nBODY\n} catch (error) {\n}"),
        ("swallowed", "try {\nBODY\n} catch (error) {\nconsole.log(error)\n}"),
        ("unreachable", "return\nBODY"),
        ("unreachable", "if (false) {\nBODY\n}"),
        ("empty loop", "for (const one of []) {\nBODY\n}"),
        ("empty loop", "[].forEach((one) => {\nBODY\n})"),
        ("skipped", r"s/^(it|test)\b/\1.skip/@@BODY"),
        ("commented out", "PLAIN\nOFF"),
        ("no matcher", "PLAIN\nexpect(1 + 2)"),
        ("no matcher", "PLAIN\nconst found = String(3)\nexpect(found).toBe"),
        ("not awaited", "PLAIN\nexpect(Promise.resolve(3)).resolves.toBe(4)"),
        ("mocked", "PLAIN\nconst load = vi.fn().mockReturnValue(3)\nexpect(load()).toBe(3)"),
        ("mocked", "PLAIN\nconst load = jest.fn(() => 3)\nexpect(load()).toBe(3)"),
        ("never called", "const look = () => {\nBODY\n}"),
    ],
    "Go": [
        ("removed", "PLAIN"),
        ("tautology", 'PLAIN\nif 1 != 1 {\nt.Fatal("no")\n}'),
        ("tautology", "PLAIN\nassert.True(t, true)"),
        ("tautology", "PLAIN\nrequire.Equal(t, 1, 1)"),
        ("constant", 'PLAIN\nwanted := 3\nif wanted != 3 {\nt.Errorf("%d", wanted)\n}'),
        ("unreachable", "return\nBODY"),
        ("unreachable", "if false {\nBODY\n}"),
        ("empty loop", "for range []int{} {\nBODY\n}"),
        ("empty loop", "for _, one := range []string{} {\n_ = one\nBODY\n}"),
        ("skipped", 't.Skip("later")\nBODY'),
        ("skipped", "t.SkipNow()\nBODY"),
        ("commented out", "PLAIN\nOFF"),
        ("logged only", 'PLAIN\nif 3 != len("abc") {\nt.Log("not the same")\n}'),
        ("never called", "_ = func() {\nBODY\n}"),
    ],
    "Java": [
        ("removed", "PLAIN"),
        ("tautology", "PLAIN\nassertTrue(true);"),
        ("tautology", "PLAIN\nassertEquals(1, 1);"),
        ("constant", "PLAIN\nint wanted = 3;\nassertEquals(3, wanted);"),
        ("swallowed", "try {\nBODY\n} catch (Throwable e) {\n}"),
        ("swallowed", "try {\nBODY\n} catch (AssertionError e) {\n// later\n}"),
        ("unreachable", "if (false) {\nBODY\n}"),
        ("unreachable", "if (true) return;\nBODY"),
        ("empty loop", "for (String one : new String[0]) {\nBODY\n}"),
        ("empty loop", "for (String one : List.<String>of()) {\nBODY\n}"),
        ("skipped", "@Disabled@@BODY"),
        ("skipped", '@Ignore("later")@@BODY'),
        ("commented out", "PLAIN\nOFF"),
        (
            "mocked",
            "List<String> list = mock(List.class);\nwhen(list.size()).thenReturn(3);\nassertEquals(3, list.size());",
        ),
        ("never null", "StringBuilder built = new StringBuilder();\nPLAIN\nassertNotNull(built);"),
        ("never called", "Runnable look = () -> {\nBODY\n};"),
    ],
    "Ruby": [
        ("removed", "PLAIN"),
        ("tautology", "PLAIN\nassert true"),
        ("tautology", "PLAIN\nassert_equal 1, 1"),
        ("tautology", "PLAIN\nexpect(true).to be true"),
        ("tautology", "PLAIN\nexpect(1).to eq(1)"),
        ("constant", "PLAIN\nwanted = 3\nassert_equal 3, wanted"),
        ("swallowed", "begin\nBODY\nrescue Exception\nend"),
        ("swallowed", "begin\nBODY\nrescue Exception => e\nputs e\nend"),
        ("unreachable", "if false\nBODY\nend"),
        ("unreachable", "return\nBODY"),
        ("empty loop", "[].each do |one|\nBODY\nend"),
        ("skipped", "skip 'later'\nBODY"),
        ("commented out", "PLAIN\nOFF"),
        ("mocked", "list = double\nallow(list).to receive(:size).and_return(3)\nexpect(list.size).to eq(3)"),
        ("no matcher", "PLAIN\nexpect([1].size)"),
        ("never called", "look = lambda do\nBODY\nend"),
    ],
    "Rust": [
        ("removed", "PLAIN"),
        ("tautology", "PLAIN\nassert!(true);"),
        ("tautology", "PLAIN\nassert_eq!(1, 1);"),
        ("constant", "PLAIN\nlet wanted = 3;\nassert_eq!(wanted, 3);"),
        ("swallowed", "let _ = std::panic::catch_unwind(|| {\nBODY\n});"),
        ("unreachable", "if false {\nBODY\n}"),
        ("unreachable", "return;\nBODY"),
        ("empty loop", "for _ in 0..0 {\nBODY\n}"),
        ("empty loop", "for _ in Vec::<u8>::new() {\nBODY\n}"),
        ("skipped", "#[ignore]@@BODY"),
        ("skipped", '#[ignore = "later"]@@BODY'),
        ("commented out", "PLAIN\nOFF"),
        ("never called", "let _look = || {\nBODY\n};"),
    ],
}


def _spots(project: str, path: str, language: str, source: bytes) -> Iterator[Spot]:
    from tree_sitter import Language, Parser

    module, entry = _GRAMMARS[language]
    root = Parser(Language(getattr(importlib.import_module(module), entry)())).parse(source).root_node
    waiting: list[Any] = [root]
    while waiting:
        node = waiting.pop()
        found = _body_of(node, language)
        if found is None:
            waiting.extend(node.children)
            continue
        name, body = found
        inner = _inner(body)
        kept = [
            child
            for child in body.named_children
            for child in (child.named_children if child.type == "body_statement" else [child])
        ]
        plain = "\n".join(
            _text(child)
            for child in kept
            if "comment" not in child.type
            and not _WORDS.search(_text(child))
            and child.type not in ("block_parameters", "identifier")
        )
        start = node.start_byte
        if language == "Rust":
            before = node.prev_named_sibling
            while before is not None and before.type == "attribute_item":
                start, before = before.start_byte, before.prev_named_sibling
        yield Spot(project, path, language, name, source, start, node.end_byte, inner, plain)


def _body_of(node: Any, language: str) -> tuple[str, Any] | None:
    """The name and the body of a node that is a test."""
    name = _text(node.child_by_field_name("name"))
    body = node.child_by_field_name("body")
    if language in ("JavaScript", "TypeScript"):
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if node.type != "call_expression" or _text(function) not in ("it", "test") or arguments is None:
            return None
        given = arguments.named_children
        if len(given) < 2 or "function" not in given[-1].type:
            return None
        inner, takes = given[-1].child_by_field_name("body"), _text(given[-1].child_by_field_name("parameters"))
        plain = inner is not None and inner.type == "statement_block" and takes in ("()", "")
        return (_text(given[0]).strip("'\"`"), inner) if plain else None
    if language == "Go":
        fits = node.type == "function_declaration" and re.match(r"Test[A-Z_]", name) and body is not None
        return (name, body) if fits and "t *testing.T" in _text(node.child_by_field_name("parameters")) else None
    if language == "Java":
        marks = _text(node.children[0]) if node.type == "method_declaration" else ""
        return (
            (name, body)
            if re.search(r"@Test\b(?!\s*\()", marks) and body is not None and not re.search(r"@Disabled|@Ignore", marks)
            else None
        )
    if language == "Ruby":
        if node.type == "method" and name.startswith("test_") and body is not None:
            return name, body
        block = node.child_by_field_name("block")
        called = _text(node.child_by_field_name("method"))
        if node.type != "call" or called not in ("it", "test", "specify") or block is None or block.type != "do_block":
            return None
        if node.child_by_field_name("receiver") is not None:
            return None
        return _text(node.child_by_field_name("arguments")).strip("()'\""), block.child_by_field_name("body")
    before = node.prev_named_sibling if node.type == "function_item" else None
    marks = ""
    while before is not None and before.type == "attribute_item":
        marks, before = marks + _text(before), before.prev_named_sibling
    fits = (
        "#[test]" in marks
        and "ignore" not in marks
        and "should_panic" not in marks
        and not node.child_by_field_name("return_type")
    )
    return (name, body) if fits and body is not None else None


def _inner(body: Any) -> tuple[int, int]:
    braces = body.children and body.children[0].type == "{"
    return (body.start_byte + 1, body.end_byte - 1) if braces else (body.start_byte, body.end_byte)


def _text(node: Any) -> str:
    return "" if node is None or node.text is None else node.text.decode("utf-8", "replace")
