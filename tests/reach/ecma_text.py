"""Symbols written as short lines, so that tests can be read."""

from __future__ import annotations

from textwrap import dedent

from tidegate.reach.languages.javascript import JAVASCRIPT
from tidegate.reach.languages.typescript import TYPESCRIPT
from tidegate.reach.symbols import Definition, FileSymbols, Parameter


def read(source: str | bytes, suffix: str = ".ts") -> FileSymbols:
    """The symbols of a source text, by the language of the suffix."""
    content = dedent(source).lstrip("\n").encode() if isinstance(source, str) else source
    language = JAVASCRIPT if suffix in JAVASCRIPT.suffixes else TYPESCRIPT
    return language.read_symbols(content, suffix)


def definitions(symbols: FileSymbols) -> list[str]:
    """One line for each definition but the module: name, kind, lines, and what else there is."""
    return [_definition(one) for one in symbols.definitions[1:]]


def bindings(symbols: FileSymbols) -> list[str]:
    """`scope.name = value (kind)`, with the definition that the value is read in where that is another."""
    names = [one.name or "module" for one in symbols.definitions]
    return [
        f"{names[one.scope]}: {one.name} = {one.value} ({one.kind})"
        + (f" in {names[one.within]}" if one.within != one.scope else "")
        for one in symbols.bindings
    ]


def references(symbols: FileSymbols, *kinds: str) -> list[str]:
    """`definition: kind chain(arguments)`, of some kinds or of all."""
    names = [one.name or "module" for one in symbols.definitions]
    return [
        f"{names[one.within]}: {one.kind} {one.chain}" + (f" ({', '.join(one.arguments)})" if one.arguments else "")
        for one in symbols.references
        if not kinds or one.kind in kinds
    ]


def _definition(one: Definition) -> str:
    lines = f"{one.line}-{one.end_line}" if one.line != one.end_line else f"{one.line}"
    parts = [one.name, one.kind, lines]
    if one.visibility == "private":
        parts.append("private")
    parts.extend(f"+{flag}" for flag in one.flags)
    parts.extend(f"@{chain}" for chain in one.decorators)
    if one.bases:
        parts.append(f"< {', '.join(one.bases)}")
    if one.parameters:
        parts.append(f"({', '.join(map(_parameter, one.parameters))})")
    if one.returns:
        parts.append(f"-> {', '.join(one.returns)}")
    return " ".join(parts)


def _parameter(one: Parameter) -> str:
    made = one.kind + one.name
    made += f": {one.type}" if one.type else ""
    return made + (f" = {one.default}" if one.default else "")
