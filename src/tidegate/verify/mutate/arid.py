"""Code on which a mutant would teach nothing: logging, messages, types, what depends on the platform.

The idea and most of the list are Google's (Petrovic and Ivankovic, "State of Mutation Testing at Google", ICSE 2018).
"""

from __future__ import annotations

import ast
import re

FUNCTIONS = frozenset({"__repr__", "__dir__", "__del__", "__sizeof__", "__rich_repr__", "__getstate__"})
KEYWORDS = frozenset(
    "stacklevel help description message msg doc metavar encoding errors maxsize timeout exc_info extra title epilog "
    "verbose_name help_text category usage prog summary deprecated strict".split()
)
_CALLS = frozenset(
    "print pprint warn warn_explicit _warn sleep flush close cache_clear setLevel collect wraps update_wrapper cast "
    "assert_type reveal_type TypeVar NewType ParamSpec TypeVarTuple assert_never print_exc simplefilter filterwarnings "
    "set_trace breakpoint setswitchinterval namedtuple NamedTuple TypedDict".split()
)
_LOGGED = frozenset("debug info warning error exception critical log notice trace fatal isEnabledFor".split())
_LOGGERS = re.compile(r"(^|_)(log|logger|logging|logs)$|^(LOG|LOGGER)$", re.IGNORECASE)
_TELEMETRY = re.compile(r"^(statsd|telemetry|tracer|span|metrics)$", re.IGNORECASE)
_OLD = re.compile(r"deprecat|^_?warn", re.IGNORECASE)
_PLATFORM = re.compile(
    r"\b_*(TYPE_CHECKING|version_info|hexversion|sys\.platform|os\.name|platform\.\w+|implementation\.name|__debug__"
    r"|WIN(DOWS)?|IS_WINDOWS|is_windows|PYPY\w*|PY\d+\w*|HAS_\w+|_MYPY|MYPY)\b"
)
_DEPRECATION = re.compile(r"^(warnings\.)?_?warn\w*\(.*\b(Pending)?DeprecationWarning\b", re.DOTALL)
_ALWAYS_WARNS = re.compile(r"^(warnings\.)?_?warn(_\w+)?$")
_INVARIANT = re.compile(r"\b(should|must|never|unreachable|impossible|internal|cannot happen|bug)\b", re.IGNORECASE)
_INTERNAL = ("Exception", "AssertionError", "RuntimeError", "SystemError", "InternalError")
_TUNED = re.compile(r"^_*[A-Z_]*(FACTOR|TIMEOUT|INTERVAL|DELAY|RETRIES|BUFFER|CHUNK|BACKOFF|BATCH|POOL|CACHE)[A-Z_]*$")
_UNFINISHED = re.compile(rb"#.*(\b(TODO|FIXME|XXX)\b|(?i:\bdeprecated\b))")
_UNCOVERED = re.compile(rb"#\s*pragma:\s*no[ -]?(cover|mutate)", re.IGNORECASE)


def is_arid_function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Functions for people who debug, those that never run, and those that tell whoever calls them not to."""
    if node.name in FUNCTIONS or is_old(node.name):
        return True
    if any(
        name_of(decorator).rpartition(".")[2] in ("overload", "abstractmethod", "deprecated")
        for decorator in node.decorator_list
    ):
        return True
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    first = body[0] if body else None
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Call)
        and bool(_ALWAYS_WARNS.search(name_of(first.value.func)))
    )


def is_old(name: str) -> bool:
    """Whether a name says that what it names is deprecated."""
    return "deprecat" in name.lower()


def is_arid_call(call: ast.Call) -> bool:
    """Calls that log, warn, print, wait or only speak to the type checker."""
    name = name_of(call.func)
    base, _, last = name.rpartition(".")
    owner = base.rpartition(".")[2]
    if last in _CALLS or _OLD.search(last):
        return True
    return bool((last in _LOGGED and _LOGGERS.search(owner)) or _TELEMETRY.search(owner))


def is_arid_statement(node: ast.stmt) -> bool:
    """Statements without an effect that a test should see."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass | ast.Global | ast.Nonlocal | ast.Assert | ast.Delete):
        return True
    if isinstance(node, ast.Expr):
        value = node.value.value if isinstance(node.value, ast.Await) else node.value
        return isinstance(value, ast.Constant) or (isinstance(value, ast.Call) and is_arid_call(value))
    if isinstance(node, ast.Raise):
        raised = name_of(node.exc) if node.exc is not None else ""
        said = raised in _INTERNAL and node.exc is not None and _INVARIANT.search(ast.unparse(node.exc))
        return bool(said) or raised in ("NotImplementedError", "NotImplemented")
    if isinstance(node, ast.Return) and node.value is not None:
        return bool(_PLATFORM.search(ast.unparse(node.value)))
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = {name_of(target).rpartition(".")[2] for target in targets}
        typed = isinstance(node, ast.AnnAssign) and "TypeAlias" in ast.unparse(node.annotation)
        dunder = any(name[:2] == name[-2:] == "__" for name in names)
        platform = node.value is not None and _PLATFORM.search(ast.unparse(node.value))
        tuned = isinstance(node.value, ast.Constant) and any(map(_TUNED.search, names))
        return bool(dunder or typed or platform or tuned or any(_LOGGERS.search(name) for name in names))
    return False


def is_arid_condition(node: ast.If | ast.While) -> bool:
    """Branches that depend on the platform or the type checker, that only log, or that serve what is deprecated."""
    test = ast.unparse(node.test)
    if _PLATFORM.search(test) or "__name__" in test or "isEnabledFor" in test:
        return True
    if any(isinstance(inner, ast.Expr) and _DEPRECATION.search(ast.unparse(inner)) for inner in node.body):
        return True
    return not node.orelse and all(map(is_arid_statement, node.body))


def is_excluded(line: bytes) -> bool:
    """Lines whose author wrote that no test is meant to run them."""
    return b"#" in line and bool(_UNCOVERED.search(line))


def is_unfinished(line: bytes) -> bool:
    """Lines that say of themselves that they are to change or to go."""
    return b"#" in line and bool(_UNFINISHED.search(line))


def name_of(node: ast.AST) -> str:
    """`a.b.c` of a name, an attribute or the function of a call; "" for anything else."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Name):
            return ".".join(reversed([*parts, node.id]))
        else:
            return ".".join(reversed(parts))
