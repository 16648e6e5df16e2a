"""What a reader of a language said, as lines that a test can show."""

from __future__ import annotations

from textwrap import dedent

from tidegate.reach.languages.interface import Language
from tidegate.reach.symbols import Digests, FileSymbols


def read(language: Language, source: str) -> FileSymbols:
    return language.read_symbols(dedent(source).encode(), language.suffixes[0])


def digests(language: Language, source: str) -> dict[str, Digests]:
    """The digests by name; of several definitions of one name the last."""
    return {one.name: one for one in language.read_digests(dedent(source).encode(), language.suffixes[0])}


def changed(language: Language, before: str, after: str) -> dict[str, list[str]]:
    """The parts that differ, by the name of the definition; `new` and `gone` where only one side has it."""
    old, new = digests(language, before), digests(language, after)
    found = {
        name: [part for part in _PARTS if getattr(old[name], part) != getattr(new[name], part)]
        for name in old
        if name in new
    }
    found |= {name: ["gone"] for name in old if name not in new} | {name: ["new"] for name in new if name not in old}
    return {name: parts for name, parts in found.items() if parts}


_PARTS = ("signature", "defaults", "decorators", "bases", "body", "docs")


def definitions(symbols: FileSymbols) -> list[str]:
    """`line kind name(parameters) -> returns : bases @decorators [flags]` of each definition, the module left out."""
    lines = []
    for one in symbols.definitions[1:]:
        given = [f"{p.kind}{p.name}: {p.type}" + (f" = {p.default}" if p.default else "") for p in one.parameters]
        line = f"{one.line}-{one.end_line} {one.visibility} {one.kind} {one.name}"
        line += f"({', '.join(given)})" if given else ""
        line += f" -> {' | '.join(one.returns)}" if one.returns else ""
        line += f" : {', '.join(one.bases)}" if one.bases else ""
        line += f" @{' @'.join(one.decorators)}" if one.decorators else ""
        lines.append(line + (f" [{' '.join(one.flags)}]" if one.flags else ""))
    return lines


def bindings(symbols: FileSymbols, *, imports: bool = True) -> list[str]:
    """`scope: name = value (kind)` of each binding, with what it is read in where that is another definition."""
    names = [one.name or "-" for one in symbols.definitions]
    return [
        f"{names[one.scope]}: {one.name} = {one.value} ({one.kind}"
        + (f" in {names[one.within]})" if one.within != one.scope else ")")
        for one in symbols.bindings
        if imports or one.kind != "import"
    ]


def references(symbols: FileSymbols, within: str = "", *kinds: str) -> list[str]:
    """`kind chain(arguments)` of each reference of the definitions of this name, in the order of the source."""
    names = [one.name for one in symbols.definitions]
    return [
        f"{one.kind} {one.chain}" + (f"({', '.join(one.arguments)})" if one.arguments else "")
        for one in symbols.references
        if names[one.within] == within and (not kinds or one.kind in kinds)
    ]
