"""How reach is said, in every format in the same words. Nothing here is escaped yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tidegate.reach.answer import (
    ChangedSymbol,
    ChangeOf,
    Completeness,
    EntryKind,
    EntryPoint,
    Evidence,
    ReachAnswer,
    ReachedService,
    ReachedSymbol,
    Service,
)
from tidegate.reach.entries.places import is_test
from tidegate.reach.rules import RULES as LINK_RULES
from tidegate.report.layout import grouped
from tidegate.report.layout import percent as percent

CHANGES: Mapping[ChangeOf, str] = {
    "added": "new",
    "deleted": "deleted",
    "renamed": "moved",
    "signature": "signature changed",
    "default": "default changed",
    "decorator": "decorator changed",
    "bases": "bases changed",
    "constant": "value changed",
    "body": "body changed",
    "docs": "documentation only",
    "format": "formatting only",
    "file": "changed",
    "asked": "asked about",
}

RULES: Mapping[str, str] = {
    "call": "calls it",
    "super": "calls it as inherited",
    "dispatch": "calls it by its type",
    "method": "calls a method of it",
    "make": "makes one",
    "construct": "is made by it",
    "special": "runs it through the language",
    "framework": "is called back through it",
    "name": "may call it by its name",
    "outside-name": "may call it through outside code",
    "by-name": "calls it by a name",
    "property": "reads it",
    "pass": "hands it over",
    "pass-class": "hands it over",
    "escape": "hands it to the outside",
    "mention": "mentions it",
    "variable": "reads it",
    "value": "holds its value",
    "decorate": "is decorated with it",
    "register": "registers it",
    "inside": "contains it",
    "inherit": "inherits from it",
    "type": "has its type",
    "fixture": "uses it as a fixture",
    "set-up": "is set up by it",
    "own": "is its test",
    "module": "is loaded with it",
    "load": "loads it",
    "import": "imports it",
    "text": "names it in a text",
    "package": "uses it",
    "recorded": "was seen running it",
}
"""What a symbol does with the one that it leads to, by the rule of the edge, where that one stands above it."""

ENTRY_NOUNS: Mapping[EntryKind, tuple[str, str]] = {
    "http": ("route", "routes"),
    "rpc": ("RPC method", "RPC methods"),
    "command": ("command", "commands"),
    "job": ("job", "jobs"),
    "event": ("event handler", "event handlers"),
    "lambda": ("Lambda handler", "Lambda handlers"),
    "api": ("public name", "public names"),
}

QUIET = ("documentation", "automation")
"""Kinds of changed files that no program reads."""


class View(Struct, frozen=True):
    """How much of an answer is shown. `limit` is in symbols, 0 for as many as fit; nothing below `at_least` is shown.

    The totals are always those of the whole answer.
    """

    depth: int = 0
    limit: int = 0
    at_least: float = 0.0

    def shows(self, symbol: ReachedSymbol) -> bool:
        return symbol.probability >= self.at_least and (not self.depth or symbol.distance <= self.depth)


def rule_words(rule: str) -> str:
    """`calls it`; a rule without words of its own is said by its name."""
    linked = next((f"{known.words} it" for known in LINK_RULES if known.name == rule), "")
    return RULES.get(rule) or linked or rule.replace("-", " ").replace("_", " ") or "uses it"


def pair_words(rule: str) -> str:
    """`calls`, to stand between the two symbols of an edge."""
    return next((known.words for known in LINK_RULES if known.name == rule), "") or rule_words(rule)


def evidence_words(evidence: Evidence) -> str:
    return ", seen in a run" if evidence == "recorded" else ""


def change_words(symbol: ChangedSymbol) -> str:
    """`body changed`, `deleted, stood at line 12`, `moved from a.py:f, body changed`."""
    words = CHANGES[symbol.what]
    if symbol.kind == "package":
        return {"constant": "version changed", "added": "new package", "deleted": "package gone"}.get(
            symbol.what, words
        )
    if symbol.kind == "imports":
        return "imports changed"
    if symbol.side == "base":
        words += f", stood at line {symbol.line}"
    if symbol.was is None:
        return words
    same_file = symbol.was.path == symbol.symbol.path
    lead = f"was {symbol.was.name or symbol.was.path}" if same_file else f"moved from {symbol.was}"
    return lead if symbol.what == "renamed" else f"{lead}, {words}"


def changed_name(symbol: ChangedSymbol) -> str:
    """The name of a changed symbol in its file: `Cart.add`, `the module`, `the file`."""
    if symbol.kind == "imports":
        return "its imports"
    return symbol.symbol.name or ("the file" if symbol.kind in _FILES else "the module")


def symbol_name(symbol: ReachedSymbol) -> str:
    """The name of a reached symbol: `Cart.add`, `the module`, `base.html` for a page that stands between."""
    return symbol.symbol.name or (symbol.symbol.path.rpartition("/")[2] if symbol.kind in _FILES else "the module")


def shown_changes(answer: ReachAnswer) -> list[tuple[str, list[ChangedSymbol]]]:
    """What changed and can be felt, by file, what reaches furthest first; many files of one folder are the folder."""
    weights = Counter(symbol.origin.path for symbol in answer.reached)
    files: dict[str, list[ChangedSymbol]] = {}
    for symbol in answer.changed:
        if not symbol.silent:
            files.setdefault(symbol.symbol.path, []).append(symbol)
    alone = [path for path, symbols in files.items() if [one.what for one in symbols] == ["file"]]
    folders = Counter(path.rpartition("/")[0] for path in alone if path.count("/"))
    rows: dict[str, list[ChangedSymbol]] = {}
    for path, symbols in files.items():
        folder = path.rpartition("/")[0]
        folded = path in alone and folders[folder] >= _FOLD_FILES and not weights[path]
        rows.setdefault(f"{folder}/" if folded else path, []).extend(symbols)
    by_weight = {row: sum(weights[path] for path in {one.symbol.path for one in rows[row]}) for row in rows}
    return sorted(rows.items(), key=lambda row: (all(one.what == "file" for one in row[1]), -by_weight[row[0]], row[0]))


def silent_words(answer: ReachAnswer) -> str:
    """`2 symbols in documentation or formatting only, 3 files that no program reads: nothing can feel it`."""
    silent = [symbol for symbol in answer.changed if symbol.silent]
    kinds = Counter(symbol.kind for symbol in silent if symbol.kind in QUIET)
    parts = [f"{grouped(kinds[kind], 'file')} of {kind}" for kind in QUIET if kinds[kind]]
    symbols = len(silent) - sum(kinds.values())
    parts += [f"{grouped(symbols, 'symbol')} in documentation or formatting only"] if symbols else []
    return f"{', '.join(parts)}: nothing can feel it" if parts else ""


def display_name(person: str) -> str:
    """`Alice Smith` of `Alice Smith <alice@example.org>: wrote 3 lines`; teams and accounts as they stand."""
    name = person.partition(" <")[0] if " <" in person else person.partition(": ")[0]
    return name.strip() or person


def without_address(person: str) -> str:
    """`Alice Smith: wrote 3 lines` of `Alice Smith <alice@example.org>: wrote 3 lines`."""
    name, opened, rest = person.partition(" <")
    return f"{name}{rest.partition('>')[2]}" if opened and name and ">" in rest else person


def totals(answer: ReachAnswer) -> str:
    """`4 symbols -> 212 symbols, 3 services, 5 routes, 2 teams; 9 % of calls unresolved`."""
    text = f"{_changed(answer)} -> {_affected(answer)}"
    share = answer.completeness.unresolved_share
    if answer.completeness.unresolved and answer.verdict != "none":
        text += f"; {percent(share).strip()} of calls unresolved"
    return text


def conclusion(answer: ReachAnswer) -> str:
    """What an answer without anything reached means; "" where something is reached."""
    if answer.verdict == "none" and answer.changed and all(symbol.silent for symbol in answer.changed):
        quiet = sum(symbol.kind in QUIET for symbol in answer.changed)
        if quiet == len(answer.changed):
            return "Nothing is affected: no program here reads what changed."
        differs = "documentation, formatting and what no program reads" if quiet else "documentation and formatting"
        return f"Nothing is affected: nothing but {differs} differs."
    if answer.verdict == "none" and answer.changed and all(s.silent or is_test(s.symbol.path) for s in answer.changed):
        return "Nothing else is affected: only tests changed."
    if answer.verdict == "none":
        return "Nothing is affected: all that could lead to the change was read and resolved."
    if answer.verdict == "unknown":
        return f"Unknown, which does not mean nothing: {'; '.join(doubts(answer.completeness)) or 'no reason given'}."
    return ""


def doubts(completeness: Completeness) -> tuple[str, ...]:
    """What stands against the answer, in words: not read, not resolved, not covered, cut short, old."""
    said: list[str] = []
    if completeness.unread_total or completeness.unread:
        said.append(f"{grouped(completeness.unread_total or len(completeness.unread), 'file')} could not be read")
    if completeness.unsupported:
        number = sum(count for _, count in completeness.unsupported)
        named = ", ".join(f"{name} {count:,}" for name, count in completeness.unsupported[:4])
        said.append(f"{grouped(number, 'file')} in languages that are not read ({named})")
    if completeness.unresolved:
        said.append(
            f"{completeness.unresolved:,} of {grouped(completeness.calls, 'call')} unresolved "
            f"({percent(completeness.unresolved_share).strip()})"
        )
    if completeness.boundaries:
        said.append(f"{grouped(completeness.boundaries, 'place')} where code is chosen at run time")
    if not completeness.tests_known:
        said.append("which tests cover this is not known")
    if completeness.map_age is not None and completeness.map_age > 0:
        said.append(f"the recorded map is {grouped(completeness.map_age, 'commit')} old")
    if completeness.truncated:
        said.append(f"the search stopped early: {completeness.truncated}")
    return tuple(said)


def rests_on(completeness: Completeness) -> str:
    """What the answer does rest on."""
    read = f"{grouped(completeness.files, 'file')} read"
    if completeness.map_age is None:
        return f"{read}, no recorded run (tidegate reach record -- pytest)"
    return f"{read} and a recorded run" + (" of this commit" if completeness.map_age == 0 else "")


def entry_counts(entries: Sequence[EntryPoint]) -> tuple[str, ...]:
    """`5 routes`, `1 command`, in a fixed order."""
    counts = Counter(entry.kind for entry in entries)
    return tuple(
        f"{counts[kind]:,} {one if counts[kind] == 1 else many}"
        for kind, (one, many) in ENTRY_NOUNS.items()
        if counts[kind]
    )


def entry_words(entry: EntryPoint) -> str:
    """Where it leads and how busy it is: `Orders.post in shop/api.py:12, 3.5 requests/s`."""
    handler = entry.handler.name or "the module"
    return f"{handler} in {entry.handler.path}:{entry.line}" + (
        f", {rate(entry.rate)}" if entry.rate is not None else ""
    )


def rate(value: float) -> str:
    return f"{value:,.0f} requests/s" if value >= 10 else f"{value:.2g} requests/s"


def tier_words(service: Service) -> str:
    return service.tier if service.tier_known else "tier unknown, taken as critical"


def service_words(reached: ReachedService, owners: Sequence[str] = ()) -> str:
    """`critical, @team, built from shop/pay.py`. Owners that stand in `owners` are not said again, nor is the tier
    where nobody wrote it down."""
    service = reached.service
    reason = reached.reason
    for verb in (f" sets up or builds {service.name}", f" builds {service.name}, a wide context"):
        reason = reason.replace(verb, "")
    reason = reason.removesuffix(f" builds {service.name}")
    how = f"built from {reason}" if reached.how == "built" else reason or "calls one that is built from it"
    if not reason:
        how = "built from it" if reached.how == "built" else how
    parts: list[str] = ["package"] if service.kind == "package" else []
    parts += [service.tier] if service.tier_known else []
    parts += [service.owner] if service.owner and not set(service.owner.split()) <= set(owners) else []
    parts += [rate(service.rate)] if service.rate is not None else []
    return ", ".join([*parts, how])


def tiers_words(services: Sequence[ReachedService]) -> str:
    """What to say of services whose tier nobody wrote down, "" where all have one."""
    running = [one for one in services if one.service.kind != "package"]
    unknown = sum(not one.service.tier_known for one in running)
    if not unknown:
        return ""
    whose = "tier" if unknown == len(running) == 1 else "tiers" if unknown == len(running) else f"tier of {unknown:,}"
    return f"{whose} unknown, taken as critical"


def entry_groups(entries: Sequence[EntryPoint]) -> list[list[EntryPoint]]:
    """Entry points in their order, those with the same handler and chance together."""
    groups: dict[tuple[object, ...], list[EntryPoint]] = {}
    ordered = sorted(entries, key=lambda entry: (-entry.probability, entry.method in ("*", ""), entry.name))
    for entry in ordered:
        groups.setdefault((entry.handler, entry.kind, entry.probability, entry.rate), []).append(entry)
    return list(groups.values())


# Private

_FILES = ("file", "documentation", "automation")
_FOLD_FILES = 3
_PACKAGES: Mapping[ChangeOf, str] = {
    "constant": "version changed",
    "added": "new package",
    "deleted": "package gone",
}


def _changed(answer: ReachAnswer) -> str:
    loud = [symbol for symbol in answer.changed if not symbol.silent]
    files = sum(symbol.kind in _FILES for symbol in loud)
    packages = sum(symbol.kind == "package" for symbol in loud)
    counts = ((len(loud) - files - packages, "symbol"), (packages, "package"), (files, "file"))
    parts = [grouped(count, noun) for count, noun in counts if count]
    if parts:
        return ", ".join([*parts[:-2], " and ".join(parts[-2:])])
    if any(symbol.kind == "automation" for symbol in answer.changed):
        return "only documentation, formatting and automation"
    return "only documentation and formatting" if answer.changed else "no symbol"


def _affected(answer: ReachAnswer) -> str:
    parts = [grouped(len(answer.reached), "symbol")] if answer.reached else []
    packages = sum(one.service.kind == "package" for one in answer.services)
    if len(answer.services) > packages:
        parts.append(grouped(len(answer.services) - packages, "service"))
    if packages:
        parts.append(grouped(packages, "package"))
    parts += entry_counts(answer.entry_points)
    if answer.owners:
        teams = all("/" in owner for owner in answer.owners)
        parts.append(grouped(len(answer.owners), "team" if teams else "owner"))
    if answer.tests:
        parts.append(grouped(len(answer.tests), "test"))
    if parts:
        return ", ".join(parts)
    return "nothing" if answer.verdict == "none" else "unknown"
