"""Which variables of the environment it reads. Names only: a value is looked for nowhere and kept nowhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from tidegate.place.code import Code
from tidegate.place.values import Seen, Wanted

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
SECRET = re.compile(
    r"(?i)secret|token|passw|pwd|credential|private_?key|api_?key|_key$|^key$|apikey|auth|dsn|salt|signing|cert|"
    r"connection_?string|(?:database|db|redis|mongo\w*|postgres\w*|amqp|broker|celery|jdbc)_?(?:url|uri)"
)


def read_wanted(files: Iterable[Code]) -> tuple[tuple[Wanted, ...], tuple[Seen, ...]]:
    """The variables with the first place of each, and places where the name of a variable is computed."""
    found: dict[str, Wanted] = {}
    computed: list[Seen] = []
    for code in sorted(files, key=lambda one: one.path):
        for name, number in _names(code):
            if NAME.fullmatch(name) and name not in _OF_THE_SYSTEM:
                found.setdefault(name, Wanted(name, _is_secret(name), Seen(code.path, number, f"reads {name}")))
        computed += [
            Seen(code.path, number, "reads a variable of the environment whose name is computed")
            for number, _ in code.find(_COMPUTED)
            if code.kind == "source" and not _is_wrapper(code, number)
        ]
    return tuple(sorted(found.values())), tuple(sorted(computed))


def names_of_machines(wanted: Iterable[Wanted]) -> tuple[Seen, ...]:
    """Variables that name a machine to be called, by their names; which one stands where it runs."""
    return tuple(
        Seen(one.seen.path, one.seen.line, f"{one.name} names a machine")
        for one in wanted
        if _MACHINE.search(one.name) and not _OWN_ADDRESS.match(one.name)
    )


# Private

_MACHINE = re.compile(
    r"(?i)(?:^|_)(?:url|uri|host|hostname|endpoint|addr|address|server|dsn|brokers?|webhook|connection_string)$"
)
_OWN_ADDRESS = re.compile(r"(?i)(?:host|hostname|(?:listen|bind|base|site|public|app|api|server|own|root|self)_\w+)$")
"""Where it listens, and what it calls itself."""

_FIGURE = re.compile(
    r"(?i)(?:_|^)(?:expire\w*|hours|minutes|seconds|days|ttl|length|size|count|enabled|algorithm|name|id)$"
)
_OF_THE_SYSTEM = frozenset("PATH HOME USER PWD SHELL LANG TERM TMPDIR TMP TEMP NODE_ENV CI HOSTNAME".split())
_READS = re.compile(
    r"""(?:\bos\.environ(?:\.(?:get|pop|setdefault))?|\bos\.getenv|\bgetenv|\benviron\.get|\benv\w*(?:\.\w+)?|"""
    r"""\bdecouple\.config|\bst\.secrets(?:\.get)?|\bENV(?:\.fetch)?|\bos\.(?:Getenv|LookupEnv)|\bSystem\.getenv(?:\(\)\.(?:get|getOrDefault))?|"""
    r"""\bEnvironment\.GetEnvironmentVariable|\benv::var(?:_os)?|\bmustMapEnv\s*\([^,()]{1,80},\s*|\bDeno\.env\.get|"""
    r"""\bconfigService\.get(?:<\w+>)?|\bconfig)\s*[\[(]?\s*["']([A-Z][A-Z0-9_]{1,127})["']"""
)
_DOTTED = re.compile(
    r"\b(?:process\.env|import\.meta\.env|st\.secrets)\.([A-Za-z_]\w{1,127})|\bprocess\.env\[[\"']([A-Za-z_]\w*)[\"']\]"
)
_SPRING = re.compile(r"\$\{([A-Z][A-Z0-9_]{2,127})(?::[^}]*)?\}")
_RAILS = re.compile(r"\bcredentials\.(?:dig\(\s*:)?([a-z_]\w{2,60})")
_COMPUTED = re.compile(
    r"\bos\.environ(?:\.get)?[\[(]\s*[a-z_]\w*\s*[\]),]|\bos\.getenv\(\s*[a-z_]\w*\s*[),]|\bprocess\.env\[\s*[a-z_]\w*\s*\]|\bENV\[\s*[a-z_]\w*\s*\]|\bos\.(?:Getenv|LookupEnv)\(\s*[a-z_]\w*\s*\)"
    r"|\bfor\s.*\bin\s+(?:\w+\()?os\.environ(?:\.(?:items|keys|copy)\(\))?\s*[):]|\bObject\.(?:keys|entries)\(process\.env\)"
    r"|^(?!.*(?:append|\.Env\s*=|Env:).*os\.Environ).*\bos\.Environ\(\)|\bSystem\.getenv\(\)\.(?:entrySet|keySet|forEach)"
)


def _names(code: Code) -> Iterator[tuple[str, int]]:
    if code.kind == "source":
        for number, match in code.find(_READS):
            yield match[1], number
        for number, match in code.find(_DOTTED):
            yield match[1] or match[2], number
        if code.language == "Python":
            yield from _settings(code)
        if code.language == "Ruby":
            for number, match in code.find(_RAILS):
                yield match[1].upper(), number
    elif code.path.endswith((".yml", ".yaml", ".properties")) and "src/main/resources" in code.path:
        for number, match in code.find(_SPRING):
            yield match[1], number


def _settings(code: Code) -> Iterator[tuple[str, int]]:
    """The fields of pydantic settings: each is read from a variable of its name."""
    for node in code.source.of(ast.ClassDef) if code.tree is not None else ():
        bases = {one.id if isinstance(one, ast.Name) else getattr(one, "attr", "") for one in node.bases}
        if "BaseSettings" not in bases:
            continue
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                yield item.target.id.upper(), item.lineno


def _is_secret(name: str) -> bool:
    """Whether a variable holds one, by its name. Figures about a secret (how long it holds) are none."""
    return bool(SECRET.search(name)) and not _FIGURE.search(name)


def _is_wrapper(code: Code, number: int) -> bool:
    """Whether the place is inside a helper for reading the environment, whose callers name the variables."""
    above = reversed(code.lines[max(0, number - 40) : number])
    return bool(_WRAPPER.search(next((line for line in above if _HEAD.match(line)), "")))


_HEAD = re.compile(r"\s*(?:export\s+)?(?:async\s+)?(?:def|func|function|class)\s")
_WRAPPER = re.compile(r"(?i)\b(?:def|func|function)\s+(?:get_?)?(?:\w*env\w*)\s*\(")
