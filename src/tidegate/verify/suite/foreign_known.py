"""What a test of JavaScript, Go, Java, Ruby or Rust says of its own names: constants, mocks and what they were told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from tree_sitter import Node

LITERAL = re.compile(
    r"\s*(true|false|null|nil|none|undefined|-?\d[\d._a-z]*|\"[^\"]*\"|'[^']*'|`[^`$]*`|:\w+)\s*", re.IGNORECASE
)


class Known(Struct, frozen=True):
    """Names of one test that are set once and never again. `told` are calls that a mock answers as it was told to."""

    text: str = ""
    constants: Mapping[str, str] = {}
    told: frozenset[str] = frozenset()
    built: frozenset[str] = frozenset()

    def value(self, text: str) -> str:
        """The literal that a text stands for, else the text itself."""
        return self.constants.get(text.strip(), text.strip())

    def is_told(self, text: str) -> bool:
        """Whether a text is a call that is answered by what this test told a mock to answer."""
        short = re.sub(r"\s+", "", text.removeprefix("await "))
        plain = re.fullmatch(r"([\w.]+)\([^()]*\)", short)
        return short in self.told or (plain is not None and plain[1] in self.told)


def known_of(text: str, grammar: str, name: str) -> Known:
    """What is known from the text of the body of a test with this name."""
    text = re.sub(r"^\s*(//|#(?!\[)).*$", "", text, flags=re.MULTILINE)
    constants = {
        found[1]: found[2].strip()
        for found in _SET[_short(grammar)].finditer(text)
        if LITERAL.fullmatch(found[2]) and _is_set_once(found[1], text)
    }
    built = {found[1] for found in _BUILT.finditer(text) if _is_set_once(found[1], text)}
    told = frozenset() if _ABOUT_MOCKS.search(name) else frozenset(_told(text))
    return Known(text, constants, told, frozenset(built))


def unused_function(node: Node, known: Known) -> str:
    """The name of a function that is made here and that nothing calls, "" for anything else."""
    if node.type == "function_declaration":
        name, value = _text(node.child_by_field_name("name")), node
    else:
        left, right = _SIDES.get(node.type, ("", ""))
        if not left:
            return ""
        name = _text(node.child_by_field_name(left)).removeprefix("mut ").strip()
        found = node.child_by_field_name(right)
        while found is not None and found.type == "expression_list" and found.named_child_count == 1:
            found = found.named_children[0]
        if found is None or not (found.type in _FUNCTIONS or re.match(r"(lambda|proc|Proc\.new)\b", _text(found))):
            return ""
        value = found
    if name == "_" or (re.fullmatch(r"\w+", name) and len(re.findall(rf"\b{name}\b", known.text)) == 1):
        return name if value is not None else ""
    return ""


def is_empty(text: str) -> bool:
    """Whether a text is a list, a map or a range with nothing in it."""
    short = re.sub(r"\s+", "", text)
    return bool(_EMPTY.fullmatch(short[1:-1] if short.startswith("(") and short.endswith(")") else short))


# Private

_SET = {
    "javascript": re.compile(r"\b(?:const|let|var)\s+(\w+)\s*(?::[^=;\n]+)?=(?!=)([^=\n;]+)(?=;|\n|$)"),
    "go": re.compile(r"\b(\w+)\s*:=([^\n]+)(?=\n|$)"),
    "java": re.compile(r"\b(?:int|long|String|boolean|double|var|char|Integer|Long)\s+(\w+)\s*=([^;]+);"),
    "ruby": re.compile(r"^[ \t]*([a-z_]\w*)\s*=(?![=~>])([^\n]+)(?=\n|$)", re.MULTILINE),
    "rust": re.compile(r"\blet\s+(\w+)\s*(?::[^=;]+)?=([^;]+);"),
}
_BUILT = re.compile(r"\b(\w+)\s*(?:=|:=)\s*(?:new\s+[\w.<>,]+\(|&[\w.]+\{|[A-Z][\w:]*\.new\b)")
_MOCKED = (
    re.compile(r"\b(?:const|let|var)\s+(\w+)\s*=\s*(?:vi|jest)\.fn\(\s*(?:async\s*)?\(\)\s*=>\s*[\w'\"]+\s*\)"),
    re.compile(r"\b(?:const|let|var)\s+(\w+)\s*=\s*(?:vi|jest)\.fn\([^)]*\)\s*\.mock(?:Return|Resolved)Value\("),
    re.compile(r"\b([\w.]+)\.mock(?:Return|Resolved)Value\("),
    re.compile(r"\b(\w+)\s*=\s*sinon\.(?:stub|fake)(?:\(\))?\.(?:returns|resolves)\("),
)
_RUBY_MOCKED = re.compile(
    r"allow\((\w+)\)\.to\s+receive\(:(\w+)\)(?:\.with\([^)]*\))?\.and_return|(\w+)\.stubs\(:(\w+)\)\.returns"
)
_JAVA_MOCKED = re.compile(r"\bwhen\(([^;]{1,200}?)\)\s*\.thenReturn\(")
_ABOUT_MOCKS = re.compile(r"mock|stub|spy|fake|double", re.IGNORECASE)
_FUNCTIONS = frozenset(
    ("arrow_function", "function_expression", "func_literal", "lambda_expression", "closure_expression", "lambda")
)
_SIDES = {
    "variable_declarator": ("name", "value"),
    "short_var_declaration": ("left", "right"),
    "assignment_statement": ("left", "right"),
    "assignment": ("left", "right"),
    "let_declaration": ("pattern", "value"),
}
_EMPTY = re.compile(
    r"\[\]|\{\}|new\w+\[0\]|new\w+\[\]\{\}|(\w+\.)?(List|Set|Map)\.(<[\w.]+>)?of\(\)|Collections\.empty\w+\(\)"
    r"|\[\][\w.*]+\{\}|map\[\w+\][\w.]+\{\}|0\.\.0|Vec(::<\w+>)?::new\(\)|vec!\[\]|\[\]as\[\w+;0\]|newArray\(\)"
    r"|Array\.new|\[\]\.iter\(\)"
)


def _short(grammar: str) -> str:
    return "javascript" if grammar.endswith("typescript") else grammar.removeprefix("tree_sitter_")


def _is_set_once(name: str, text: str) -> bool:
    word = re.escape(name)
    writes = len(
        re.findall(rf"(?<![\w.@$]){word}\b\s*(?::[^=;\n]{{1,60}})?(?:[-+*/|&%^:]|<<|>>|\|\||&&|\?\?)?=(?![=~>])", text)
    )
    return writes == 1 and not re.search(rf"\b{word}\s*(\+\+|--|<<)|(\+\+|--){word}\b|&(mut\s+)?{word}\b", text)


def _told(text: str) -> set[str]:
    found = {one[1] for pattern in _MOCKED for one in pattern.finditer(text)}
    for one in _RUBY_MOCKED.finditer(text):
        found.add(f"{one[1]}.{one[2]}" if one[1] else f"{one[3]}.{one[4]}")
    found |= {re.sub(r"\s+", "", one[1]) for one in _JAVA_MOCKED.finditer(text)}
    return found


def _text(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode("utf-8", "replace")
