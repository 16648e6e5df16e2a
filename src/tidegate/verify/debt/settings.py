"""Settings from the environment that must be there, though nothing says so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tidegate.verify.debt.source import Site, Source

RULE = "config-without-default"


def needed_settings(source: Source) -> Iterator[tuple[str, Site]]:
    """Variables of the environment that the code cannot do without, each with its name."""
    if source.language == "Python":
        if b"environ" in source.content or b"getenv" in source.content:
            yield from _python(source)
    elif source.language in ("JavaScript", "TypeScript") and b"process.env" in source.content:
        yield from _lines(source, _ECMA)
    elif source.language == "Go" and b"os.Getenv" in source.content:
        yield from _lines(source, _GO)


# Private

_KNOWN = re.compile(
    r"HOME|PATH|USER|USERNAME|SHELL|PWD|TMPDIR|TEMP|TMP|LANG|TERM|CI|PORT|NODE_ENV|EDITOR|HOSTNAME|DISPLAY|APPDATA|"
    r"LOCALAPPDATA|USERPROFILE|PROGRAMFILES|SYSTEMROOT|VIRTUAL_ENV|PYTHONPATH|(?:GITHUB|RUNNER|XDG|KUBERNETES|"
    r"npm|GITLAB|CI|CONDA|READTHEDOCS|VITE|JEST|TRAVIS)_\w+"
)
_ASKS = ("get", "setdefault", "getenv")
_ECMA = re.compile(r"process\.env(?:\.(\w+)|\[['\"](\w+)['\"]\])(?:!(?!=)|\.(?:\w+)\()")
_GO = re.compile(r"(?:strconv\.\w+|time\.ParseDuration|strings\.Split|\[\]byte)\(os\.Getenv\(\"(\w+)\"()\)")


def _site(line: int, name: str) -> tuple[str, Site]:
    message = f"the environment must have {name}: there is no default, and no file says so"
    mend = f"give a default, or name {name} where people look for settings"
    return name, Site(RULE, "low", line, f"setting {name}", message, mend)


def _python(source: Source) -> Iterator[tuple[str, Site]]:
    guarded = _guarded(source)
    for node in source.of(ast.Subscript, ast.Call):
        name = ""
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _is(node.value, "environ"):
            name = _text(node.slice)
        elif isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords and _used_at_once(source, node):
            reads = _is(node.func, "getenv") or (
                isinstance(node.func, ast.Attribute) and node.func.attr == "get" and _is(node.func.value, "environ")
            )
            name = _text(node.args[0]) if reads else ""
        if name and name not in guarded and not _KNOWN.fullmatch(name) and not _tried(source, node):
            yield _site(node.lineno, name)


def _is(node: ast.expr, name: str) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == name and isinstance(node.value, ast.Name) and node.value.id == "os"
    return isinstance(node, ast.Name) and node.id == name


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _used_at_once(source: Source, node: ast.AST) -> bool:
    """Whether a value that may be None is used as if it were none: `int(...)`, `....split()`."""
    around = source.parents.get(node)
    if isinstance(around, ast.Attribute):
        return True
    return isinstance(around, ast.Call) and isinstance(around.func, ast.Name) and around.func.id in ("int", "float")


def _guarded(source: Source) -> set[str]:
    """Names that the file asks for first, or sets itself."""
    found = set()
    for node in source.of(ast.Compare, ast.Subscript, ast.Call):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            found.add(_text(node.left))
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            found.add(_text(node.slice))
        elif isinstance(node, ast.Call) and node.args and getattr(node.func, "attr", "") in _ASKS:
            found |= set() if _used_at_once(source, node) else {_text(node.args[0])}
    return found


def _tried(source: Source, node: ast.AST) -> bool:
    above = source.parents.get(node)
    while above is not None:
        if isinstance(above, ast.Try) and above.handlers:
            return True
        above = source.parents.get(above)
    return False


def _lines(source: Source, pattern: re.Pattern[str]) -> Iterator[tuple[str, Site]]:
    for number, line in enumerate(source.lines, 1):
        for match in pattern.finditer(line[:2_000]):
            name = match[1] or match[2]
            asked = source.count(name) > 1 or line.lstrip().startswith(("//", "*"))
            if not _KNOWN.fullmatch(name) and not asked:
                yield _site(number, name)
