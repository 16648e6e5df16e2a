"""Migrations of Rails, read line by line without running them: literal calls are steps, computed ones are said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tidegate.infra.sql.lexer import Dialect
from tidegate.infra.sql.reader import steps_of
from tidegate.infra.sql.steps import Deed, Script, Step

_HEREDOC = re.compile(r"<<[~-]?(['\"`]?)(\w+)\1")
_DEF = re.compile(r"^(\s*)def\s+(?:self\.)?(\w+)")
_DOWN = re.compile(r"^(\s*)(?:dir|direction|r|d)\.down\s*(do|\{)")
_TABLE = re.compile(r"^(\s*)(create_table|change_table|create_join_table)\b[ (]*(.*?)\bdo\s*\|\s*(\w+)\s*\|")
_CALL = re.compile(
    r"^\s*(?:return\s+)?(?:safety_assured\s*(?:do|\{)\s*)?(?:(\w+)\.)?([a-z_]+)[ (]\s*(.*?)\)?\s*\}?\s*$"
)
_BARE = re.compile(r"^\s*([A-Z]\w*(?:::\w+)*)((?:\.(?:unscoped|all))*)\.(delete_all|destroy_all|update_all)\b(.*)$")
_SYMBOL = re.compile(r"""^:?["']?([A-Za-z_][\w.]*)["']?$""")
_PAIR = re.compile(r"""^:?["']?(\w+)["']?\s*(?:=>|:)\s*(.+)$""", re.DOTALL)


_LONGEST_CALL = 4_000


class _Call(Struct, frozen=True):
    """A call with its arguments as written; `table` is the one of the block that it stands in."""

    name: str
    given: tuple[str, ...]
    options: Mapping[str, str]
    table: str
    line: int

    def symbol(self, place: int) -> str:
        """The name that an argument is, "" for what is computed."""
        match = _SYMBOL.match(self.given[place]) if place < len(self.given) else None
        literal = match is not None and self.given[place][:1] in ":\"'"
        return match[1] if match is not None and literal else ""

    def symbols(self, start: int) -> tuple[str, ...]:
        return tuple(name for place in range(start, len(self.given)) if (name := self.symbol(place)))


def read_rails(text: str, path: str, dialect: Dialect = "") -> Script | None:
    """A migration of Rails, None where the text is none."""
    if "ActiveRecord::Migration" not in text and "Migration[" not in text:
        return None
    lines, heredocs = _logical(text)
    steps: list[Step] = []
    has_down, block = _can_go_down(text), ("", "", -1)
    for line, words in _upward(lines):
        opened = _TABLE.match(words)
        indent = len(words) - len(words.lstrip())
        if opened is not None:
            name = _SYMBOL.match(_arguments(opened[3])[0]) if _arguments(opened[3]) else None
            block = (name[1] if name else "", opened[4], indent)
        elif block[1] and indent <= block[2] and words.strip().startswith("end"):
            block = ("", "", -1)
        steps += _read(words, line, block, heredocs, dialect)
    return Script(path, tuple(steps), has_down=has_down, dialect=dialect, wraps="disable_ddl_transaction!" not in text)


# Private


def _can_go_down(text: str) -> bool:
    if "IrreversibleMigration" in text:
        return False
    return bool(re.search(r"def\s+(?:self\.)?change\b", text)) or bool(
        re.search(r"def\s+(?:self\.)?down\b(?!\s*(?:;\s*)?end)(?:\s*#[^\n]*\n)*\s*(?!end\b)\S", text)
    )


def _logical(text: str) -> tuple[list[tuple[int, str]], Mapping[str, str]]:
    """Lines joined where a call goes on, without comments, and the heredocs that they name."""
    lines: list[tuple[int, str]] = []
    heredocs: dict[str, str] = {}
    physical = text.split("\n")
    place, kept, first, depth = 0, "", 0, 0
    while place < len(physical):
        line = physical[place]
        place += 1
        if line.lstrip().startswith("#"):
            continue
        line = re.sub(r"\s#\s[^'\"]*$", "", line).rstrip()
        if kept:
            kept += " " + line.strip()
        else:
            kept, first = line, place
        found = _HEREDOC.search(line)
        if found:
            body = []
            while place < len(physical) and physical[place].strip() != found[2]:
                body.append(physical[place])
                place += 1
            place += 1
            name = f"HEREDOC{len(heredocs)}"
            heredocs[name] = "\n".join(body)
            kept = kept.replace(found[0], f":{name}", 1)
        bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", kept)
        depth = bare.count("(") + bare.count("[") - bare.count(")") - bare.count("]")
        if (depth > 0 or bare.rstrip().endswith((",", "\\"))) and len(kept) < _LONGEST_CALL:
            continue
        lines.append((first, kept))
        kept = ""
    return lines, heredocs


def _upward(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines that run going up: not those of `down`, nor of a `dir.down` block."""
    skipping = -1
    for line, words in lines:
        indent = len(words) - len(words.lstrip())
        if skipping >= 0:
            if indent <= skipping and words.strip():
                skipping = -1
                if words.strip().startswith("end"):
                    continue
            else:
                continue
        method, down = _DEF.match(words), _DOWN.match(words)
        if (method and method[2] == "down") or (down and not ("{" in words and "}" in words)):
            skipping = indent
        elif not down:
            yield line, words


def _read(
    words: str, line: int, block: tuple[str, str, int], heredocs: Mapping[str, str], dialect: Dialect
) -> Iterator[Step]:
    bare = _BARE.match(words)
    if bare is not None:
        deed: Deed = "update all" if bare[3] == "update_all" else "delete all"
        columns = ",".join(re.findall(r"(\w+)\s*(?::(?!:)|=(?!=))", bare[4]))
        yield Step(deed, _table_of(bare[1]), columns, text=words.strip()[:80], line=line)
        return
    match = _CALL.match(words)
    if match is None:
        return
    arguments = _arguments(match[3])
    options = {pair[1]: pair[2].strip() for one in arguments if (pair := _option(one)) is not None}
    given = tuple(one for one in arguments if _option(one) is None)
    inside = bool(match[1]) and match[1] == block[1]
    call = _Call(match[2], given, options, block[0] if inside else "", line)
    if call.name in ("execute", "exec_query") and given and (not match[1] or match[1] in ("connection", "conn")):
        yield from _executed(call, heredocs, dialect)
        return
    reader = _IN_TABLE.get(call.name) if inside else _READERS.get(call.name) if not match[1] else None
    if reader is not None:
        for step in reader(call):
            yield replace(step, line=line, text=words.strip()[:80])


def _table_of(model: str) -> str:
    """The table of a model as Rails names it: `OrderLine` -> `order_lines`."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model.rpartition("::")[2]).lower()
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def _option(argument: str) -> re.Match[str] | None:
    return _PAIR.match(argument) if not argument.startswith(("::", "[", "{")) else None


def _arguments(text: str) -> list[str]:
    """The arguments of a call, cut at the commas that stand in nothing."""
    found, depth, start, quote = [], 0, 0, ""
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == "," and depth == 0:
            found.append(text[start:place].strip())
            start = place + 1
    found.append(text[start:].strip())
    return [re.sub(r"\s+(?:do|if|unless)\b.*$", "", one) for one in found if one]


def _executed(call: _Call, heredocs: Mapping[str, str], dialect: Dialect) -> Iterator[Step]:
    words = call.given[0]
    text = next((body for name, body in heredocs.items() if f":{name}" in words), None)
    if text is None and words[:1] in "\"'":
        text = words[1:].removesuffix(words[0])
    grave = any(verb in words.upper() for verb in ("DROP ", "TRUNCATE", "DELETE ", "UPDATE ", "ALTER ", "GRANT "))
    if text is None or "#{" in text:
        settled = text is not None and not re.search(r"(TABLE|FROM|COLUMN|UPDATE)\s+\S*#\{", text, re.IGNORECASE)
        if not settled and (grave or text is not None):
            yield Step("computed", "", text=" ".join((text or words).split())[:60], line=call.line)
            return
    if text is not None:
        plain = re.sub(r"#\{[^}]*\}", "computed", text)
        yield from (replace(step, line=call.line) for step in steps_of(plain, dialect))


_Reader = Callable[[_Call], Iterator[Step]]


def _tables(deed: Deed) -> _Reader:
    def read(call: _Call) -> Iterator[Step]:
        names = call.symbols(0)
        for name in names:
            yield Step(deed, name, if_exists=call.options.get("if_exists") == "true")
        if not names and deed == "drop table":
            yield Step("computed", "")

    return read


def _columns(deed: Deed, suffix: str = "") -> _Reader:
    def read(call: _Call) -> Iterator[Step]:
        start = 0 if call.table else 1
        table = call.table or call.symbol(0)
        names = call.symbols(start)[: 1 if call.name == "remove_column" else None]
        for name in names:
            yield Step(deed, table, f"{name}{suffix}")
        if (not names or not table) and deed == "drop column":
            yield Step("computed", table)

    return read


def _timestamps(call: _Call) -> Iterator[Step]:
    for name in ("created_at", "updated_at"):
        yield Step("drop column", call.table or call.symbol(0), name)


def _renamed_table(call: _Call) -> Iterator[Step]:
    if call.symbol(0) and call.symbol(1):
        yield Step("rename table", call.symbol(0), call.symbol(1))


def _renamed_column(call: _Call) -> Iterator[Step]:
    start = 0 if call.table else 1
    table, old, new = call.table or call.symbol(0), call.symbol(start), call.symbol(start + 1)
    yield Step("rename column", table, new, type=old) if table and old and new else Step("computed", table)


def _changed(call: _Call) -> Iterator[Step]:
    start = 0 if call.table else 1
    table, name = call.table or call.symbol(0), call.symbol(start)
    yield Step("change type", table, name, type=_type(call.symbol(start + 1), call.options))
    if call.options.get("null") == "false":
        yield Step("set not null", table, name)


def _null(call: _Call) -> Iterator[Step]:
    start = 0 if call.table else 1
    if call.given[start + 1 : start + 2] == ("false",):
        yield Step("set not null", call.table or call.symbol(0), call.symbol(start))


def _index(call: _Call) -> Iterator[Step]:
    columns = call.given[0 if call.table else 1 :][:1]
    yield Step(
        "create index",
        call.table or call.symbol(0),
        re.sub(r"[:\[\]\"']", "", columns[0]) if columns else "",
        unique=call.options.get("unique") == "true",
        online=call.options.get("algorithm", "") in (":concurrently", ":inplace"),
    )


def _added(call: _Call) -> Iterator[Step]:
    yield Step(
        "add column",
        call.symbol(0),
        call.symbol(1),
        type=_type(call.symbol(2), call.options),
        nullable=call.options.get("null") != "false",
        default=call.options.get("default", ""),
    )


def _reference(call: _Call) -> Iterator[Step]:
    table, name = call.symbol(0), call.symbol(1)
    yield Step("add column", table, f"{name}_id", nullable=call.options.get("null") != "false")
    index = call.options.get("index", "true")
    if index != "false":
        yield Step("create index", table, f"{name}_id", online="concurrently" in index)
    foreign = call.options.get("foreign_key", "false")
    if foreign != "false":
        yield Step("add foreign key", table, f"{name}_id", online="validate: false" in foreign)


def _proved(deed: Deed) -> _Reader:
    def read(call: _Call) -> Iterator[Step]:
        yield Step(deed, call.symbol(0), " ".join(call.given[1:2]), online=call.options.get("validate") == "false")

    return read


_READERS: Mapping[str, _Reader] = {
    "create_table": _tables("create table"),
    "drop_table": _tables("drop table"),
    "drop_join_table": _tables("drop table"),
    "truncate": _tables("truncate"),
    "truncate_tables": _tables("truncate"),
    "remove_column": _columns("drop column"),
    "remove_columns": _columns("drop column"),
    "remove_reference": _columns("drop column", "_id"),
    "remove_belongs_to": _columns("drop column", "_id"),
    "remove_timestamps": _timestamps,
    "rename_table": _renamed_table,
    "rename_column": _renamed_column,
    "change_column": _changed,
    "change_column_null": _null,
    "add_index": _index,
    "add_column": _added,
    "add_reference": _reference,
    "add_belongs_to": _reference,
    "add_foreign_key": _proved("add foreign key"),
    "add_check_constraint": _proved("add check"),
    "validate_check_constraint": _proved("validate"),
}
_IN_TABLE: Mapping[str, _Reader] = {
    "remove": _columns("drop column"),
    "remove_references": _columns("drop column", "_id"),
    "remove_timestamps": _timestamps,
    "rename": _renamed_column,
    "change": _changed,
    "change_null": _null,
    "index": _index,
}
_TYPES = {"string": "varchar", "decimal": "numeric", "datetime": "timestamp"}


def _type(name: str, options: Mapping[str, str]) -> str:
    known = _TYPES.get(name, name)
    if known == "numeric" and "precision" in options:
        return f"numeric({options['precision']}, {options.get('scale', '0')})"
    if known == "integer" and options.get("limit") == "8":
        return "bigint"
    return f"varchar({options['limit']})" if known == "varchar" and "limit" in options else known
