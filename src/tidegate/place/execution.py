"""Where what comes in from outside could run as code, as a command or as SQL: evaluation and shells of a text that is
computed, statements that are glued together, objects that are loaded from bytes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from tidegate.place.code import Code
from tidegate.place.values import Seen


def read_executions(files: Iterable[Code]) -> tuple[Seen, ...]:
    """Every place, in order. A text that stands in the source whole is harmless and is left out."""
    found: set[Seen] = set()
    for code in files:
        if code.kind != "source":
            continue
        if code.language == "Python" and code.tree is not None:
            found.update(_python(code))
        else:
            found.update(Seen(code.path, number, what) for pattern, what in _OTHERS for number, _ in code.find(pattern))
    return tuple(sorted(found))


# Private

_SHELL = "a command is built from what is not constant"
_SQL = "an SQL statement is glued together from what is not constant"
_EVAL = "a computed text is run as code"
_LOADS = "objects are loaded from bytes that may be anybody's"
_OTHERS = (
    (re.compile(r"(?:^|[^.\w$])eval\s*\(\s*(?![\"'][^\"']*[\"']\s*\))\S|\bnew Function\s*\(|\bvm\.run\w+\s*\("), _EVAL),
    (
        re.compile(
            r"\b(?:child_process\.)?(?:exec|execSync)\s*\(\s*(?:`[^`]*\$\{|[\"'][^\"']*[\"']\s*\+|[a-z_]\w*\s*[,)])"
        ),
        _SHELL,
    ),
    (re.compile(r"\bspawn(?:Sync)?\s*\([^)]*shell\s*:\s*true"), _SHELL),
    (
        re.compile(
            r"\bexec\.Command(?:Context)?\s*\((?:\w+,\s*)?\"(?:sh|bash|/bin/sh|/bin/bash)\"|\bRuntime\.getRuntime\(\)\.exec\("
        ),
        _SHELL,
    ),
    (
        re.compile(
            r"(?:^|[^.\w])system\s*\(?\s*\"[^\"]*#\{|(?:^\s*|=\s*|return\s+)`[^`#]+#\{[^`]*`|%x[({\[][^)}\]]*#\{|\bIO\.popen\s*\(?\s*\"[^\"]*#\{"
        ),
        _SHELL,
    ),
    (re.compile(r"\b(?:instance_eval|class_eval|module_eval)\s*\(?\s*(?:\"[^\"]*#\{|(?!do\b)[a-z_]\w*\b)"), _EVAL),
    (
        re.compile(
            r"(?i)\b(?:query|execute|exec|raw|\$queryRawUnsafe|\$executeRawUnsafe)\w*\s*\(\s*(?:`[^`]*\b(?:select|insert|update|delete)\b[^`]*\$\{|[\"'][^\"']*\b(?:select|insert|update|delete)\b[^\"']*[\"']\s*\+)"
        ),
        _SQL,
    ),
    (
        re.compile(
            r"(?i)\.(?:find_by_sql|execute|where|order|select_all|joins)\s*\(?\s*\"(?![^\"]*\":)[^\"]*#\{(?!\w*quote)"
        ),
        _SQL,
    ),
    (re.compile(r"(?i)\bfmt\.Sprintf\(\s*[\"`]\s*(?:select|insert|update|delete)\b[^\"`]*%"), _SQL),
    (
        re.compile(
            r"(?i)[\"`]\s*(?:select\b.{0,300}\bfrom|insert into|update\b.{0,200}\bset|delete from)\b"
            r"[^\"`]*[\"`]\s*\+\s*\w"
        ),
        _SQL,
    ),
    (
        re.compile(
            r"\bunserialize\s*\(\s*\$|\bMarshal\.load\b|\bYAML\.unsafe_load\b|"
            r"\bnew ObjectInputStream\b|\bBinaryFormatter\b"
        ),
        _LOADS,
    ),
)
_SHELLS = frozenset(("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"))
_RUNS = frozenset(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen"))
_LOADERS = frozenset(("pickle.load", "pickle.loads", "dill.load", "dill.loads", "marshal.loads", "joblib.load"))
_STATEMENT = re.compile(
    r"(?i)^\s*(?:select\b[\s\S]*\bfrom\b|insert\s+into\b|update\b[\s\S]*\bset\b|delete\s+from\b|drop\s+table\b)"
)


def _python(code: Code) -> Iterator[Seen]:
    for node in code.source.of(ast.Call):
        name = _name(node.func)
        given = node.args[0] if node.args else None
        constant = isinstance(given, ast.Constant)
        if name in ("eval", "exec") and given is not None and not constant:
            yield Seen(code.path, node.lineno, _EVAL)
        elif not constant and (
            name in _SHELLS or name.endswith("create_subprocess_shell") or (name in _RUNS and _is_shell(node))
        ):
            yield Seen(code.path, node.lineno, _SHELL)
        elif name in _LOADERS:
            yield Seen(code.path, node.lineno, _LOADS)
        elif name == "yaml.load" and not any("Safe" in ast.unparse(one.value) for one in node.keywords):
            if len(node.args) < 2 or "Safe" not in ast.unparse(node.args[1]):
                yield Seen(code.path, node.lineno, _LOADS)
        elif name.endswith("render_template_string") and not constant:
            yield Seen(code.path, node.lineno, _EVAL)
    for glued in code.source.of(ast.JoinedStr, ast.BinOp, ast.Call):
        if _is_glued(glued):
            yield Seen(code.path, glued.lineno, _SQL)


def _is_shell(node: ast.Call) -> bool:
    return any(one.arg == "shell" and getattr(one.value, "value", True) is not False for one in node.keywords)


def _is_glued(node: ast.expr) -> bool:
    """Whether an SQL statement is completed by something that is not constant: f"", +, % or .format()."""
    if isinstance(node, ast.JoinedStr):
        first = node.values[0] if node.values else None
        computed = any(isinstance(one, ast.FormattedValue) and not _is_name_of_ours(one.value) for one in node.values)
        return computed and isinstance(first, ast.Constant) and bool(_STATEMENT.match(_joined(node)))
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        left = node.left
        text = left.value if isinstance(left, ast.Constant) else None
        return isinstance(text, str) and bool(_STATEMENT.match(text)) and not isinstance(node.right, ast.Constant)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        inner = node.func.value
        text = inner.value if isinstance(inner, ast.Constant) else None
        return isinstance(text, str) and bool(_STATEMENT.match(text))
    return False


def _is_name_of_ours(node: ast.expr) -> bool:
    """A constant of the module by its name (TABLE) is nobody's input."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


def _joined(node: ast.JoinedStr) -> str:
    return "".join(
        one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else "x" for one in node.values
    )


def _name(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
