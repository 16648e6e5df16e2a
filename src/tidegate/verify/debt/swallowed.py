"""Errors that nobody will hear of: broad handlers that go on in silence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tidegate.facts import Severity
from tidegate.verify.debt.source import Site, Source

if TYPE_CHECKING:
    from tree_sitter import Node

RULE = "error-swallowed"


def swallowed(source: Source) -> Iterator[Site]:
    """Handlers that drop every error: medium where nothing says so, low where a comment does, a note with a log.

    A call of Go, Rust or Shell whose failure is thrown away by a word of its own is meant so, and a note.
    """
    if source.language == "Python":
        if b"except" in source.content or b"suppress" in source.content:
            yield from _python(source)
    elif source.language in _CATCHES:
        if any(word in source.content for word in (b"catch", b"rescue")):
            yield from _catches(source)
    elif source.language in _LINES:
        yield from _lines(source)


# Private

_MEND = "name the errors that are meant, and raise or report the others"
_LOGS = frozenset("debug info warn warning error exception critical log print".split())


def _site(severity: Severity, line: int, text: str, message: str) -> Site:
    return Site(RULE, severity, line, f"swallowed {' '.join(text.split())}", message, _MEND)


def _python(source: Source) -> Iterator[Site]:
    for node in source.of(ast.Try):
        for handler in node.handlers:
            yield from _handler(source, node, handler)
    if b"suppress" in source.content:
        for call in source.of(ast.Call):
            if call.args and _dotted(call.func) in ("suppress", "contextlib.suppress"):
                yield from _suppressed(source, call)


def _suppressed(source: Source, node: ast.Call) -> Iterator[Site]:
    if any(_dotted(one) in ("Exception", "BaseException") for one in node.args) and not _in_cleanup(source, node):
        message = "every error of this block is suppressed"
        yield _site("medium", node.lineno, f"suppress in {source.line(node.lineno + 1)}", message)


def _handler(source: Source, node: ast.Try, handler: ast.ExceptHandler) -> Iterator[Site]:
    if not _broad(handler.type) or all(isinstance(one, ast.Import | ast.ImportFrom) for one in node.body):
        return
    if _in_cleanup(source, node):
        return
    does = _does(handler)
    if not does:
        return
    caught = ast.unparse(handler.type) if handler.type is not None else "everything"
    text = ast.unparse(node.body[0])[:200] + ast.unparse(handler)[:200]
    explained = any("#" in line for line in source.lines[handler.lineno - 1 : handler.end_lineno])
    above = source.line(handler.body[0].lineno - 1).lstrip().startswith("#")
    if does == "only logs":
        yield _site("note", handler.lineno, text, f"the handler of {caught} only logs, and what follows goes on")
        return
    severity: Severity = "low" if explained or above else "medium"
    yield _site(severity, handler.lineno, text, f"the handler of {caught} {does}: a fault here looks like success")


def _broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_broad(one) for one in kind.elts)
    return kind is None or _dotted(kind) in ("Exception", "BaseException")


def _does(handler: ast.ExceptHandler) -> str:
    """What a handler does that neither raises, nor calls anything but a log, nor uses what it caught."""
    logs = False
    last = ""
    for statement in handler.body:
        if isinstance(statement, ast.Pass | ast.Continue):
            last = "passes over it" if isinstance(statement, ast.Pass) else "goes on with the next"
        elif isinstance(statement, ast.Return):
            if not _default(statement.value):
                return ""
            last = "returns a default"
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            last = last or "passes over it"
        elif isinstance(statement, ast.Expr) and _is_log(statement.value):
            logs = True
        else:
            return ""
    return "only logs" if logs else last


def _default(value: ast.expr | None) -> bool:
    if value is None or isinstance(value, ast.Constant):
        return True
    return isinstance(value, ast.List | ast.Dict | ast.Tuple | ast.Set) and not list(ast.iter_child_nodes(value))[1:]


def _is_log(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and _dotted(value.func).rpartition(".")[2] in _LOGS


def _in_cleanup(source: Source, node: ast.AST) -> bool:
    """Whether this runs while something is torn down, where there is nobody left to tell."""
    above: ast.AST | None = node
    while above is not None:
        if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef):
            return bool(re.search(r"(?i)__del__|__exit__|__aexit__|close|shutdown|cleanup|teardown|stop", above.name))
        above = source.parents.get(above)
    return False


def _dotted(node: ast.AST | None) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


_CATCHES = {
    "JavaScript": "catch_clause",
    "TypeScript": "catch_clause",
    "Java": "catch_clause",
    "Ruby": "rescue",
}
_COMMENTS = ("comment", "line_comment", "block_comment")


def _catches(source: Source) -> Iterator[Site]:
    """Handlers whose body holds nothing."""
    if source.root is None:
        return
    if source.language == "Ruby":
        yield from _modifiers(source)
    for node in _nodes(source.root, _CATCHES[source.language]):
        body = node.child_by_field_name("body")
        if source.language == "Ruby":
            if _ruby_named(node) or _statements(node.child_by_field_name("body")):
                continue
        elif body is None or _statements(body) or (source.language == "Java" and not _java_broad(node)):
            continue
        said = any(child.type in _COMMENTS for child in (*node.children, *(body.children if body else ())))
        around = node.parent.text if node.parent is not None else b""
        message = "this handler is empty: a fault here looks like success"
        text = (around or b"").decode("utf-8", "replace")[:300]
        yield _site("low" if said else "medium", node.start_point[0] + 1, text, message)


def _modifiers(source: Source) -> Iterator[Site]:
    """Ruby's `call rescue nil`: every error becomes a plain value."""
    for number, line in enumerate(source.lines, 1):
        if len(line) < 1_000 and _MODIFIER.search(line) and not line.lstrip().startswith("#"):
            yield _site("low", number, line, "every error of this expression becomes a plain value")


_MODIFIER = re.compile(r"[\w)\]}!?] rescue (?:nil|false|true|0|''|\"\"|\[\]|\{\})\s*(?:$|[#)}])")


def _statements(body: Node | None) -> bool:
    return body is not None and any(child.type not in _COMMENTS for child in body.named_children)


def _ruby_named(node: Node) -> bool:
    """Whether a rescue names errors of its own kind, which are expected ones."""
    named = node.child_by_field_name("exceptions")
    text = (named.text or b"").decode("utf-8", "replace") if named is not None else "StandardError"
    return not re.fullmatch(r"StandardError|Exception", text.strip())


def _java_broad(node: Node) -> bool:
    text = (node.text or b"")[:200].decode("utf-8", "replace")
    return bool(re.match(r"catch\s*\([^)]*\b(?:Exception|Throwable)\s+\w+\s*\)", text))


def _nodes(root: Node, kind: str) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == kind:
            yield node
        stack += reversed(node.named_children)


_LINES: dict[str, tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...]] = {
    "Go": (
        (
            re.compile(r"^\s*(?:_\s*,\s*)*_\s*=\s*[\w.]+\([^)]*\)\s*$"),
            re.compile(
                r"\.(?:Close|Flush|Write\w*|F?[Pp]rint\w*|Remove\w*|Sync|Kill|Stop|Shutdown|Rollback|Set\w*|Body|"
                r"Unlock|Register|Process|Fprint\w*|Drain|Copy|Mark\w*|Bind\w*|Encode|Wait|Signal|Help|Scan\w*|\w*Flag\w*|Open\w*)\(|=\s*(?:len|cap|append|"
                r"string|int\w*|[a-z]\w*\.\w*(?:Ctx|Context))\("
            ),
            "the error of this call is thrown away",
        ),
    ),
    "Rust": (
        (
            re.compile(r"^\s*let\s+_\s*=\s*[\w.:]+\("),
            re.compile(r"\.(?:send|write\w*|flush|set|join|kill|remove\w*|try_send|take|insert|replace|borrow\w*)\("),
            "the result of this call is thrown away",
        ),
    ),
    "Shell": (
        (
            re.compile(r"\|\|\s*(?:true|:)\s*(?:$|[;)])"),
            re.compile(
                r"^\s*#|\b(?:grep|egrep|rg|rm|kill|pkill|killall|mkdir|diff|test|command|which|type|read|wait|umount|"
                r"stop|down|expr|let|unset|cat|docker|trap|delete|head|ls|find|cleanup|pgrep|disable|unalias|pushd|"
                r"userdel|groupadd|useradd|id|getent|id)\b|\[\[? |\(\("
            ),
            "a fault of this command does not stop the script",
        ),
    ),
}


def _lines(source: Source) -> Iterator[Site]:
    for pattern, unless, message in _LINES[source.language]:
        for number, line in enumerate(source.lines, 1):
            if len(line) > 1_000 or not pattern.search(line) or unless.search(line):
                continue
            if "//" not in line and "#" not in line and not _commented(source, number):
                yield _site("note", number, line, message)


def _commented(source: Source, number: int) -> bool:
    return source.line(number - 1).lstrip().startswith(("//", "#"))
