"""Which sensitive areas a changed file belongs to, by its path and by the lines that change, each with the reason.

The table is `domain_table.py`; `[domains.NAME]` of the settings extends an entry, replaces it, or adds one. All
patterns run on RE2, and the lines of a file are read once for the table and once for each domain that it may belong
to, so the cost grows with the size of the change and nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec
import re2

from tidegate.change import kinds
from tidegate.change.domain_table import DOMAINS
from tidegate.change.domain_values import Domain, Search
from tidegate.change.patterns import Patterns, compile_patterns
from tidegate.change.values import FileChange, show_path
from tidegate.errors import InputError
from tidegate.facts import DomainHit
from tidegate.settings import DomainSetting, Settings

LONGEST_PATTERN = 2000
ASIDE = ("**/examples/**", "**/example/**", "**/samples/**", "**/benchmarks/**", "**/benches/**", "**/docs/**")
"""Folders whose source no domain looks at, beside tests. Workflows and lock files in them still count."""

TEXTS = frozenset(("Markdown", "Text", "reStructuredText", "AsciiDoc"))

_MEMORY_BYTES = 64 << 20
_LONGEST_QUOTE = 60
_HASH = frozenset(
    (
        *("Dockerfile", "Elixir", "HCL", "INI", "Julia", "Makefile", "Nix", "Perl", "PowerShell", "Puppet", "Python"),
        *("R", "Ruby", "Shell", "Starlark", "TOML", "YAML", "Rego", "CMake", "GraphQL", "Crystal", ""),
    )
)
_DASH = frozenset(("SQL", "Lua", "Haskell", "Elm", "Ada", "VHDL"))


def assign_domains(files: Sequence[FileChange], settings: Settings) -> tuple[FileChange, ...]:
    """The files, classified before, with domains and critical filled. Raises InputError for a bad pattern."""
    table = _Table(settings)
    return tuple(table.assign(file) for file in files)


def effective_domains(settings: Settings) -> tuple[Domain, ...]:
    """The table with the repository's own entries. What a repository adds by path counts for every kind of file."""
    table = {domain.name: domain for domain in DOMAINS}
    for name, own in settings.domains.items():
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name):
            raise InputError(
                "a domain's name is made of lower-case letters, digits and hyphens",
                where=f"the setting domains.{name}",
                mend="write it like data-access",
            )
        known = None if own.replace else table.get(name)
        table[name] = _merged(name, known, own)
    return tuple(table.values())


# Private


def _merged(name: str, known: Domain | None, own: DomainSetting) -> Domain:
    base = known or Domain(name=name, meaning="an area of this repository's own", critical=False)
    return msgspec.structs.replace(
        base,
        critical=base.critical if own.critical is None else own.critical,
        content=base.content + own.content,
        ignore=base.ignore + own.ignore,
    )


class _Content(NamedTuple):
    search: Any
    files: Patterns | None = None
    unless: Any = None
    hide: bool = False


class _Matcher:
    """One domain, compiled when a file first asks for it; what a repository adds is checked at once."""

    def __init__(self, domain: Domain, own: DomainSetting) -> None:
        where = f"the setting domains.{domain.name}"
        self.domain = domain
        self.own_paths = compile_patterns(own.paths, where=f"{where}.paths")
        self.ignore = compile_patterns(domain.ignore, where=f"{where}.ignore")
        for pattern in own.content:
            _check(pattern, where)

    @cached_property
    def paths(self) -> Patterns:
        return compile_patterns(self.domain.paths)

    def by_path(self, file: FileChange, place: _Place) -> str:
        for path in {file.path: None, file.old_path: None}:
            if self.ignore.matches(path):
                continue
            found = self.own_paths.first(path)
            if not found and (place.counts or (self.domain.everywhere and place.counts_everywhere)):
                found = self.paths.first(path) or self.paths.first(path.lower())
            if found:
                return f"path matches `{found}`" if path == file.path else f"path was `{_quote(path)}`"
        return ""

    def by_content(self, file: FileChange, lines: _Lines) -> tuple[int, str]:
        if self.ignore.matches(file.path):
            return 0, ""
        for content in self._content:
            if content.files is not None and not content.files.matches(file.path):
                continue
            found = _first_line(content, lines)
            if found is not None:
                return found
        return 0, ""

    # Private

    @cached_property
    def _content(self) -> list[_Content]:
        plain = [entry for entry in self.domain.content if isinstance(entry, str)]
        union = [_Content(_compile(_union(plain)))] if plain else []
        return union + [_restricted(entry) for entry in self.domain.content if isinstance(entry, Search)]


def _first_line(content: _Content, lines: _Lines) -> tuple[int, str] | None:
    """The first changed line that counts, and the reason. Each line is judged once, however often it matches."""
    refused = -1
    for match in content.search.finditer(lines.text):
        index = lines.index_at(match.start())
        if index == refused:
            continue
        number, text, removed = lines.lines[index]
        if lines.is_comment(text) or (content.unless is not None and content.unless.search(text)):
            refused = index
            continue
        quote = _quote(_hidden(match[0]) if content.hide else match[0])
        return number, f"a removed line had `{quote}`" if removed else f"line {number} has `{quote}`"
    return None


class _Table:
    def __init__(self, settings: Settings) -> None:
        nothing = DomainSetting()
        domains = effective_domains(settings)
        self._matchers = [_Matcher(d, settings.domains.get(d.name, nothing)) for d in domains]
        everything = [e if isinstance(e, str) else e.pattern for d in domains for e in d.content]
        self._anything = _compile(_union(everything) or r"[^\x00-\xff]")
        wanted = [p for d in domains for p in (*d.paths, *settings.domains.get(d.name, nothing).paths)]
        self._any_path = compile_patterns([pattern for pattern in wanted if not pattern.startswith("!")])
        self._tests = compile_patterns((*kinds.TESTS, *kinds.TEST_FOLDERS))
        self._aside = compile_patterns(ASIDE)

    def assign(self, file: FileChange) -> FileChange:
        place = _place_of(file, self._tests, self._aside)
        lines = _Lines(file) if place.searched else None
        if lines is not None and self._anything.search(lines.text) is None:
            lines = None
        by_path = any(self._any_path.matches(path) for path in _spellings(file))
        hits = []
        for matcher in self._matchers:
            number, reason = 0, matcher.by_path(file, place) if by_path else ""
            if not reason and matcher.domain.name == "dependencies" and (file.vendored or file.kind == "submodule"):
                reason = "the file is a submodule" if file.kind == "submodule" else "the file is vendored"
            if not reason and lines is not None:
                number, reason = matcher.by_content(file, lines)
            if reason:
                hits.append((matcher.domain, DomainHit(matcher.domain.name, show_path(file.path), number, reason)))
        critical = any(domain.critical for domain, _ in hits)
        return msgspec.structs.replace(file, domains=tuple(hit for _, hit in hits), critical=critical)


class _Place(NamedTuple):
    """What counts for a file: built-in paths, those of domains that look everywhere, and its lines."""

    counts: bool
    counts_everywhere: bool
    searched: bool


def _place_of(file: FileChange, tests: Patterns, aside: Patterns) -> _Place:
    """A renamed file lies in its old place too: a change cannot carry it out of sight.

    Code that calls itself generated lies where it lies, and only its lines are not searched.
    """
    paths = (file.path, file.old_path) if file.status == "renamed" else (file.path,)
    if file.vendored or file.kind == "test" or all(map(tests.matches, paths)):
        return _Place(False, False, False)
    ours = not all(map(aside.matches, paths)) and (not file.generated or file.kind == "source")
    code = file.kind in ("source", "config")
    plain = code or file.kind in ("symlink", "binary", "submodule")
    searched = ours and code and not file.generated and file.language not in TEXTS
    return _Place(ours and plain, file.kind != "docs", searched)


def _spellings(file: FileChange) -> set[bytes]:
    """The paths of a file as they are and in small letters: `Auth/` is a folder like `auth/`."""
    return {spelling for path in (file.path, file.old_path) for spelling in (path, path.lower())}


class _Lines:
    """The changed lines of a file, and the same as one text; `index_at` finds the line that an offset lies in."""

    def __init__(self, file: FileChange) -> None:
        self.lines = list(_changed(file))
        self.text = b"\n".join(text for _, text, _ in self.lines)
        self._language = file.language
        self._starts: list[int] = []

    def index_at(self, offset: int) -> int:
        if not self._starts:
            self._starts = list(accumulate((len(text) + 1 for _, text, _ in self.lines), initial=0))
        return bisect_right(self._starts, offset) - 1

    def is_comment(self, text: bytes) -> bool:
        head = text.lstrip(b" \t")
        if self._language in _HASH:
            return head.startswith(b"#")
        if self._language in _DASH:
            return head.startswith(b"--")
        if head.startswith((b"/*", b"* ", b"*/")):
            return not head.partition(b"*/")[2].strip()
        return head.startswith(b"//")


def _changed(file: FileChange) -> Iterator[tuple[int, bytes, bool]]:
    """Number at the head, text, and whether it was removed. A removed line stands where it was taken out."""
    for hunk in file.hunks:
        for place, text in enumerate(hunk.added):
            yield hunk.new_start + place, text, False
        for text in hunk.removed:
            yield max(hunk.new_start, 1), text, True


def _restricted(entry: Search) -> _Content:
    files = compile_patterns(entry.files) if entry.files else None
    return _Content(_compile(entry.pattern), files, _compile(entry.unless) if entry.unless else None, entry.hide)


def _union(patterns: Sequence[str]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def _check(pattern: str, where: str) -> None:
    if len(pattern) > LONGEST_PATTERN:
        raise _bad(pattern, f"it is longer than {LONGEST_PATTERN} characters", where)
    try:
        expression = _compile(pattern)
    except re2.error as error:
        raise _bad(pattern, str(error), where) from error
    if expression.search(b"") is not None:
        raise _bad(pattern, "it matches everything", where)


def _bad(pattern: str, reason: str, where: str) -> InputError:
    return InputError(
        f"{pattern[:80]!r} is not an RE2 pattern ({reason})",
        where=f"{where}.content",
        mend="see github.com/google/re2/wiki/Syntax; RE2 has no look-around and no back-references",
    )


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_nl = True
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY_BYTES
    return re2.compile(f"(?m){pattern}".encode("utf-8", "surrogateescape"), options)


def _hidden(text: bytes) -> bytes:
    """What may be a secret, without it: the name that it is given, else four letters."""
    name = re.match(rb"[\w\"' ]*?[:=]+", text)
    return (name[0] if name else text[:4]) + b" ..."


def _quote(text: bytes) -> str:
    characters = text[: _LONGEST_QUOTE * 4].decode("utf-8", "backslashreplace")
    shown = "".join(c if c.isprintable() and c != "`" else " " for c in characters)
    line = " ".join(shown.split())
    return line if len(line) <= _LONGEST_QUOTE else f"{line[: _LONGEST_QUOTE - 1]}…"
