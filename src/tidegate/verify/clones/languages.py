"""How the languages write comments, imports, literals and names. A family is a set of languages that share this."""

from __future__ import annotations

from msgspec import Struct


class Family(Struct, frozen=True):
    """Patterns of what is `skipped`, of literals and of names; the rest is symbols."""

    skipped: str
    literal: str
    name: str
    keywords: frozenset[str]

    @property
    def pattern(self) -> str:
        """Matches one token, or one thing that is skipped, after another."""
        return f"{self.skipped}|{self.literal}|{self.name}|{_SYMBOLS}"

    @property
    def pattern_of_kinds(self) -> str:
        """The same with a group for each kind."""
        return f"(?P<skipped>{self.skipped})|(?P<literal>{self.literal})|(?P<name>{self.name})|(?P<symbol>{_SYMBOLS})"


_SYMBOLS = r"[-+*/%&|^<>=!]=|[-=]>|\*\*|//|&&|\|\||:[:=]|\?[?.]|<-|\S"
_NUMBER = r"\d(?:[\w.]|(?<=[eE])[-+])*"
_QUOTED = r'"(?:[^"\\\n]|\\[\s\S])*"'
_SINGLE = r"'(?:[^'\\\n]|\\[\s\S])*'"
_BLOCK = r"/\*[\s\S]*?\*/"

_PYTHON = Family(
    skipped=r"\n|#[^\n]*"
    r"|^[ \t]*(?:from[ \t]+[\w.]+[ \t]+)?import\b[ \t]*(?:\([^)]*\)|(?:[^\n\\;]|\\[\s\S])*)",
    literal=r"[rRbBuUfFtT]{0,2}(?:\"\"\"(?:[^\\]|\\[\s\S])*?\"\"\"|'''(?:[^\\]|\\[\s\S])*?'''"
    rf"|{_QUOTED}|{_SINGLE})|{_NUMBER}",
    name=r"[^\W\d]\w*",
    keywords=frozenset(
        "and as assert async await break class continue def del elif else except finally for from global if import in "
        "is lambda nonlocal not or pass raise return try while with yield None True False self cls".split()
    ),
)
_BRACES = Family(
    skipped=rf"\n|//[^\n]*|{_BLOCK}|^[ \t]*#[ \t]*(?:include|import|pragma)[^\n]*"
    r"|^[ \t]*(?:import\b(?:[ \t]*\([^)]*\)|[^\n;{(]*\{[^}]*\}[^\n;]*|[^\n;(]*);?"
    r"|(?:package|using|use|extern crate)[ \t][^;\n{=(]*(?:\{[^;]*\})?;?"
    r"|export[ \t]*(?:\*|type[ \t]*\{|\{)[^;\n]*;?)",
    literal=rf"{_QUOTED}|`(?:[^`\\]|\\[\s\S])*`|'(?:[^'\\\n]|\\[^\n])'|'(?:[^'\\\n,;(){{}}<>]|\\[^\n])*'|{_NUMBER}",
    name=r"[^\W\d][\w$]*|[$][\w$]+",
    keywords=frozenset(
        "abstract as async await break case catch chan class const continue default defer delete do else enum export "
        "extends false final finally fn for func function go goto if impl implements in instanceof interface internal "
        "is let loop match mod move mut new nil None null operator override private protected pub public raise range "
        "ref return select self Self sizeof static struct super switch synchronized template this throw throws trait "
        "true try type typedef typename typeof union unless unsafe until use using val var virtual void volatile when "
        "where while with yield".split()
    ),
)
_ENDS = Family(
    skipped=r"\n|#(?!\{)[^\n]*|^=begin[\s\S]*?^=end|^[ \t]*(?:require|require_relative|import|alias|use)[ \t][^\n]*",
    literal=rf'"""[\s\S]*?"""|{_QUOTED}|{_SINGLE}|`[^`\n]*`|{_NUMBER}',
    name=r"[@$]{0,2}[^\W\d]\w*[?!]?|:[^\W\d]\w*",
    keywords=frozenset(
        "alias and begin break case catch class cond def defmodule defp do done elif else elsif end ensure esac false "
        "fi fn for function if in local module next nil not or redo rescue retry return self super then true undef "
        "unless until when while yield".split()
    ),
)

FAMILIES: dict[str, Family] = {"python": _PYTHON, "braces": _BRACES, "ends": _ENDS}

LANGUAGES: dict[str, str] = {
    **dict.fromkeys(("Python", "Starlark"), "python"),
    **dict.fromkeys(
        (
            *("C", "C++", "CUDA", "Objective-C", "C#", "Java", "Kotlin", "Scala", "Groovy", "Go", "Rust", "Swift"),
            *("Dart", "JavaScript", "TypeScript", "PHP", "Solidity", "Zig", "D"),
        ),
        "braces",
    ),
    **dict.fromkeys(("Ruby", "Crystal", "Elixir", "Shell"), "ends"),
}
"""Which family reads a language. A language that is not here is not searched, and that is said."""
