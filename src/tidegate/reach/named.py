"""Who reads a file that is no code: the functions in whose texts it is named, by path, by pattern or by convention.

Templates, SQL, YAML and JSON have no symbols, and no import leads to them: code names them in texts. Only files whose
bytes hold the name at all are looked at, so nothing is kept and a question about code pays nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import re2
from msgspec import Struct

from tidegate.reach.answer import SymbolId
from tidegate.reach.index import Index
from tidegate.reach.naming import HOLE, common_folders, is_page, names_file, parts_of, stem_of
from tidegate.reach.quiet import quiet_kind
from tidegate.reach.symbols import Definition, FileSymbols, Text

MOST_FILES = 300
MOST_CODE = 600
MOST_BYTES = 96 << 20
ROUNDS = 4
"""How far templates that include each other are followed."""

PATTERN, FOLDER = 2, 4
"""The width of a text that means several files, and of one that means all that lie in a folder."""


class Reader(Struct, frozen=True):
    """`source` names `path` at `line`; `width` is how many files that text could mean, 1 when it is this one."""

    path: str
    source: SymbolId
    line: int
    width: int


class Readers(Struct, frozen=True):
    """What was found; `left` says in words what was not looked at, "" if nothing was left out."""

    readers: tuple[Reader, ...] = ()
    left: str = ""


def find_readers(index: Index, wanted: Sequence[str], tables: Mapping[str, Sequence[str]] = {}) -> Readers:
    """The code, and the templates, that name one of these files. `tables` are the SQL tables that a file speaks of."""
    if not wanted:
        return Readers()
    asked = list(wanted)[:MOST_FILES]
    left = (
        f"who reads {len(wanted) - MOST_FILES} of {len(wanted)} files was not asked" if len(wanted) > MOST_FILES else ""
    )
    finder = _Finder(index, tables)
    found: list[Reader] = []
    seen = set(asked)
    for _ in range(ROUNDS):
        fresh = finder.readers_of(asked)
        found += fresh
        asked = [r.source.path for r in fresh if not r.source.name and is_page(r.source.path)]
        asked = [path for path in dict.fromkeys(asked) if path not in seen][:MOST_FILES]
        seen.update(asked)
        if not asked:
            break
    return Readers(tuple(dict.fromkeys(found)), left or finder.left)


def tables_of(sql: Iterable[bytes]) -> tuple[str, ...]:
    """The tables that lines of SQL create, alter or write, in order."""
    text = b"\n".join(sql).decode("utf-8", "replace")
    names = (match.group(1).strip('"`[]').rpartition(".")[2].strip('"`[]').lower() for match in _TABLE.finditer(text))
    return tuple(dict.fromkeys(name for name in names if len(name) > 2))


# Private

_SHOWN = frozenset(
    (
        *("render", "render_template", "render_to_string", "get_template", "select_template", "TemplateResponse"),
        *("template", "view", "View", "erb", "haml", "slim", "HTML", "Render", "ExecuteTemplate", "renderFile"),
        *("renderView", "partial", "setViewName"),
    )
)
_TABLE = re.compile(
    r"\b(?:(?:create|alter|drop)\s+table\s+(?:if\s+(?:not\s+)?exists\s+)?(?:only\s+)?"
    r"|insert\s+into\s+|update\s+|delete\s+from\s+|references\s+)([\w.\"`\[\]]+)",
    re.IGNORECASE,
)
_SQL = re.compile(r"\s*(?:select|insert|update|delete|with|create|alter|drop|merge|truncate)\b", re.IGNORECASE)
_SUFFIXED = re.compile(r"[\w*}]\.\w{1,8}$")
_LIST = 6
"""Who names more files than this lists them: each of them matters less to it."""

_TOKEN = re.compile(rb"[\w./\-@~*{}]+")
_PARTIAL = re.compile(rb"""render[ (]+(?:partial:\s*|layout:\s*)?["'](\w+)["']""")
_RUBY_PAGES = (".erb", ".haml", ".slim")
"""Pages in which a bare name is a partial of the same folder."""

_RAILS = re.compile(r"(.*?)app/views/(.+)/_?([a-z]\w*)\.[\w.+]+$")


class _Finder:
    """Reads the sources of the tree once, and answers for the files of each round."""

    def __init__(self, index: Index, tables: Mapping[str, Sequence[str]]) -> None:
        self.index = index
        self.tables = tables
        self.left = ""
        self.by_name: dict[str, list[str]] = {}
        for path in index.files:
            self.by_name.setdefault(path.rpartition("/")[2], []).append(path)
        self._contents: dict[str, bytes] | None = None

    def readers_of(self, wanted: Sequence[str]) -> list[Reader]:
        needles = self._needles(wanted)
        found: list[Reader] = []
        code: dict[str, set[str]] = {}
        any_of_them = _any_of(needles)
        for path, content in self._sources().items():
            if any_of_them.search(content) is None:
                continue
            hit = {file for needle, files in needles.items() if needle in content for file in files if file != path}
            if not hit:
                continue
            if path in self.index.sources:
                code[path] = hit
            else:
                found += self._in_page(path, content, hit)
        if len(code) > MOST_CODE:
            self.left = f"{len(code) - MOST_CODE} more files may name what changed in a text"
        symbols = self.index.read(sorted(code, key=lambda path: (len(code[path]), path))[:MOST_CODE])
        for path in code:
            if path in symbols:
                found += self._in_code(path, symbols[path], sorted(code[path]))
        return found + [reader for path in wanted for reader in self._by_convention(path)]

    # Private

    def _needles(self, wanted: Sequence[str]) -> dict[bytes, list[str]]:
        needles: dict[bytes, list[str]] = {}
        for path in wanted:
            name = path.rpartition("/")[2]
            folder = path.rpartition("/")[0].rpartition("/")[2]
            texts = [name, *self.tables.get(path, ())]
            texts += [f"{mark}{stem_of(name).lstrip('_')}" for mark in "\"'/"] if is_page(path) else []
            texts += [f"{folder}/"] if folder else []
            for text in texts:
                if len(text) > 2:
                    needles.setdefault(text.encode("utf-8", "surrogateescape"), []).append(path)
        return needles

    def _sources(self) -> Mapping[str, bytes]:
        if self._contents is None:
            paths, total = [], 0
            pages = [path for path in self.index.files if path in self.index.sources or is_page(path)]
            for path, size in self.index.sizes(path for path in pages if not quiet_kind(path)).items():
                if 0 <= size <= 2 << 20:
                    total += size
                    if total > MOST_BYTES:
                        self.left = "the sources are too large to look for the names of files in all of them"
                        break
                    paths.append(path)
            self._contents = dict(self.index.read_bytes(paths))
        return self._contents

    def _in_page(self, path: str, content: bytes, hit: Iterable[str]) -> Iterator[Reader]:
        tokens: dict[str, int] = {}
        for number, line in enumerate(content.split(b"\n"), 1):
            if len(line) <= 2000:
                for token in _TOKEN.findall(line):
                    tokens.setdefault(token.decode("utf-8", "replace"), number)
                for name in _PARTIAL.findall(line) if path.endswith(_RUBY_PAGES) else ():
                    tokens.setdefault(f"{path.split('/')[-2]}/{name.decode()}", number)
        for file in sorted(hit):
            known = [(number, value) for value, number in tokens.items() if "/" in value or "." in value]
            named = [(number, value) for number, value in known if names_file(value, file)]
            if named:
                number, value = min(named)
                yield Reader(file, SymbolId(path, ""), number, self._width(value, file, path))

    def _in_code(self, path: str, symbols: FileSymbols, hit: Sequence[str]) -> Iterator[Reader]:
        lists = Counter(text.within for text in symbols.texts if _SUFFIXED.search(text.value))
        texts = _Texts(symbols)
        for file in hit:
            found: dict[int, tuple[int, int]] = {}
            for within, line, width in self._named(path, texts, file):
                width = max(width, lists[within] if lists[within] > _LIST else 1)
                known = found.get(within)
                if known is None or width < known[0]:
                    found[within] = width, line
            if len(found) > 1:
                found.pop(0, None)  # the functions of the module say more than its list of files
            for within, (width, line) in found.items():
                yield Reader(file, SymbolId(path, _name(symbols.definitions, within)), line, width)

    def _named(self, path: str, texts: _Texts, file: str) -> Iterator[tuple[int, int, int]]:
        """The definitions that name a file, each with the line and with how many files that could be."""
        name = file.rpartition("/")[2]
        for text in (*texts.plain.get(name, ()), *texts.open):
            if names_file(text.value, file):
                yield text.within, text.line, self._width(text.value, file, path)
        stem = stem_of(name).lstrip("_")
        for value, within, line in texts.shown if is_page(file) else ():
            if value.rpartition("/")[2].lstrip("_") == stem and (value == stem or names_file(value, file)):
                yield within, line, 1
        tables = self.tables.get(file, ())
        if tables:
            pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, tables))})\b", re.IGNORECASE)
            for text in texts.sql:
                if pattern.search(text.value):
                    yield text.within, text.line, 1
            yield from _mapped(texts.symbols, tables)

    def _width(self, value: str, file: str, reader: str) -> int:
        """How many files a text could mean. The one that lies nearest to the reader is meant, the others may be."""
        last = parts_of(value)[-1]
        if HOLE.search(value):
            return PATTERN
        if "." not in last:
            return 1 if last and is_page(file) else FOLDER
        alike = [path for path in self.by_name.get(last, ()) if names_file(value, path)]
        nearest = max((common_folders(path, reader) for path in alike), default=0)
        return 1 if len(alike) < 2 or common_folders(file, reader) >= nearest else len(alike)

    def _by_convention(self, path: str) -> Iterator[Reader]:
        """Rails shows app/views/stories/index.html.erb for StoriesController#index without naming it."""
        match = _RAILS.match(path)
        if match is None:
            return
        top, folder, action = match.groups()
        if folder == "layouts":
            folder, action = "application", ""
        controller = f"{top}app/controllers/{folder}_controller.rb"
        if controller not in self.index.files:
            return
        for definition in self.index.read([controller])[controller].definitions:
            own = definition.name.rpartition(".")[2]
            if (own == action) if action else definition.kind == "class":
                yield Reader(path, SymbolId(controller, definition.name), definition.line, 1)


class _Texts:
    """The texts of a file: those that end in the name of a file by that name, those that may mean any, and SQL."""

    def __init__(self, symbols: FileSymbols) -> None:
        self.symbols = symbols
        self.shown = list(_shown(symbols))
        self.plain: dict[str, list[Text]] = {}
        self.open: list[Text] = []
        self.sql: list[Text] = []
        for text in symbols.texts:
            last = text.value.partition("?")[0].rpartition("/")[2]
            if _SQL.match(text.value):
                self.sql.append(text)
            elif "." in last and not HOLE.search(text.value):
                self.plain.setdefault(last, []).append(text)
            elif "/" in text.value or HOLE.search(text.value):
                self.open.append(text)


def _any_of(needles: Iterable[bytes]) -> re2.Regexp:
    options = re2.Options()
    options.max_mem = 64 << 20
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return re2.compile(b"|".join(re2.escape(needle) for needle in sorted(needles)), options)


def _shown(symbols: FileSymbols) -> Iterator[tuple[str, int, int]]:
    """The texts handed to what shows pages: they are often a bare name."""
    for reference in symbols.references:
        if reference.arguments and reference.chain.rpartition(".")[2] in _SHOWN:
            for argument in reference.arguments[:3]:
                if argument.endswith('"'):
                    yield argument.partition('"')[2].strip('"'), reference.within, reference.line


def _mapped(symbols: FileSymbols, tables: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Classes that say which table they stand for: `@Table("owners")`, `@Entity(name="owners")`."""
    for reference in symbols.references:
        if reference.kind == "decorate":
            values = {argument.rpartition("=")[2].strip('"').lower() for argument in reference.arguments}
            if values & set(tables):
                yield reference.within, reference.line, 1


def _name(definitions: Sequence[Definition], within: int) -> str:
    return definitions[within].name if 0 <= within < len(definitions) else ""
