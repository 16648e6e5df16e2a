"""Jobs and cloud functions that configuration declares: crontabs, CronJobs, workflows, serverless.yml, SAM."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from tidegate.reach.answer import EntryKind, EntryPoint, SymbolId
from tidegate.reach.entries.context import Context, entry, http
from tidegate.reach.entries.features import EVENT
from tidegate.reach.entries.finder import Finder, MarksByPath
from tidegate.reach.entries.interface import Mark
from tidegate.reach.entries.tables import PYTHON, SCRIPT
from tidegate.reach.symbols import FileSymbols

_FILE = re.compile(r"[\w./-]+\.(?:py|js|mjs|ts|sh|rb|go|pl)\b")
_MODULE = re.compile(r"-m\s+([\w.]+)")
_CRON = re.compile(r"^\s*(@\w+|(?:[\d*,/A-Za-z-]+\s+){5})(\S.*)$")
_MOST_YAML = 2000
_LARGEST_YAML = 1 << 20
_HINTS = (b"CronJob", b"schedule:", b"AWS::Serverless", b"AWS::Lambda", b"functions:")
_SUFFIXES = (".py", ".js", ".mjs", ".cjs", ".ts", ".go", ".rb", ".java")


def _join(_: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    known = frozenset(context.sources.paths)
    yaml = [path for path in context.sources.paths if path.endswith((".yml", ".yaml", "template.json"))][:_MOST_YAML]
    tabs = [p for p in context.sources.paths if "crontab" in p.rpartition("/")[2] or "/cron.d/" in f"/{p}"]
    context.fetch([*yaml, *tabs])
    for path in tabs:
        yield from _crontab(path, known, context)
    for path in yaml:
        content = context.content(path)
        if len(content) <= _LARGEST_YAML and any(hint in content for hint in _HINTS):
            for document in _documents(content):
                yield from _document(path, document, known, context)


def _documents(content: bytes) -> list[dict[Any, Any]]:
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Reads tags of CloudFormation as the values that they are on."""

    Loader.add_multi_constructor("!", lambda _loader, _tag, node: _plain(node))
    if content.count(b"&") > 200 and content.count(b"*") > 200:
        return []  # aliases can grow without bound
    try:
        found = list(yaml.load_all(content.decode("utf-8", "replace"), Loader))
    except (yaml.YAMLError, RecursionError, ValueError):
        return []
    return [one for one in found if isinstance(one, dict)]


def _plain(node: Any) -> Any:
    if hasattr(node, "value") and isinstance(node.value, str):
        return node.value
    return None


def _document(path: str, found: dict[Any, Any], known: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    if found.get("kind") == "CronJob":
        yield from _cron_job(path, found, known, context)
    elif ".github/workflows/" in path:
        yield from _workflow(path, found, known, context)
    elif isinstance(found.get("functions"), dict):
        yield from _serverless(path, found["functions"], known, context)
    elif isinstance(found.get("Resources"), dict):
        yield from _sam(path, found["Resources"], known, context)


def _crontab(path: str, known: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    for number, line in enumerate(context.text(path).split("\n"), 1):
        match = None if line.lstrip().startswith("#") else _CRON.match(line)
        if match:
            for symbol in _command(path, match[2], known, context):
                yield entry("job", f"{match[1].strip()} {match[2].strip()}"[:200], "crontab", symbol, number)


def _cron_job(path: str, found: dict[Any, Any], known: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    metadata = found.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    command = " ".join(part for spec in _containers(found) for part in _strings(spec))
    for symbol in _command(path, command, known, context):
        yield entry("job", str(name or path), "kubernetes", symbol, 1)


def _containers(value: Any) -> Iterator[list[Any]]:
    pending, seen = [value], 0
    while pending and seen < 5000:
        one, seen = pending.pop(), seen + 1
        if isinstance(one, dict):
            yield [one.get("command"), one.get("args")]
            pending += one.values()
        elif isinstance(one, list):
            pending += one


def _strings(values: list[Any]) -> Iterator[str]:
    for value in values:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                yield one


def _workflow(path: str, found: dict[Any, Any], known: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    events = found.get("on", found.get(True))  # YAML 1.1 reads `on` as true
    if not isinstance(events, dict) or "schedule" not in events:
        return
    jobs = found.get("jobs")
    for job in jobs.values() if isinstance(jobs, dict) else ():
        for step in job.get("steps") or () if isinstance(job, dict) else ():
            run = step.get("run") if isinstance(step, dict) else None
            for symbol in _command(path, run, known, context) if isinstance(run, str) else ():
                if symbol.path != path:
                    name = found.get("name") or path
                    yield entry("job", f"{name}: {symbol.path}", "github-actions", symbol, 1)


def _command(path: str, command: str, known: frozenset[str], context: Context) -> list[SymbolId]:
    """The files and modules of the tree that a command line names; the configuration itself where it names none."""
    found: list[SymbolId] = []
    for word in _FILE.findall(command):
        folder = posixpath.dirname(path)
        tried = (
            word.lstrip("./"),
            posixpath.normpath(posixpath.join(folder, word)),
            re.sub(r"^/?(app|srv|opt/\w+)/", "", word),
        )
        found += [SymbolId(one, "") for one in tried if one in known][:1]
    for module in _MODULE.findall(command):
        base = module.replace(".", "/")
        modules = tuple(f"{root}{base}{end}" for root in ("", "src/") for end in (".py", "/__main__.py"))
        found += [SymbolId(one, "") for one in modules if one in known][:1]
    for name in re.findall(r"manage\.py\s+(\w+)", command):
        ends = f"management/commands/{name}.py"
        found += [SymbolId(one, "Command.handle") for one in context.sources.paths if one.endswith(ends)]
    return list(dict.fromkeys(found)) or [SymbolId(path, "")]


def _serverless(path: str, functions: dict[Any, Any], known: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    for name, function in functions.items():
        handler = function.get("handler") if isinstance(function, dict) else None
        if not isinstance(handler, str):
            continue
        symbol = _handler(path, "", handler, known, context)
        yield entry("lambda", str(name), "serverless", symbol, context.line_of(symbol))
        for event in function.get("events") or ():
            yield from _event(name, event, symbol, context) if isinstance(event, dict) else ()


def _event(name: object, event: dict[Any, Any], symbol: SymbolId, context: Context) -> Iterator[EntryPoint]:
    line = context.line_of(symbol)
    for kind, value in event.items():
        if kind in ("http", "httpApi"):
            method, route = "*", ""
            if isinstance(value, str):
                method, _, route = value.partition(" ")
            elif isinstance(value, dict):
                method, route = str(value.get("method", "*")), str(value.get("path", "{?}"))
            yield http(method.upper(), "/" + route.strip().lstrip("/"), "serverless", symbol, line)
        elif kind == "schedule":
            yield entry("job", str(name), "serverless", symbol, line)
        else:
            yield entry("event", f"{name} {kind}", "serverless", symbol, line)


def _sam(path: str, resources: dict[Any, Any], known: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    for name, resource in resources.items():
        if not isinstance(resource, dict) or resource.get("Type") not in (
            "AWS::Serverless::Function",
            "AWS::Lambda::Function",
        ):
            continue
        properties = resource.get("Properties")
        handler = properties.get("Handler") if isinstance(properties, dict) else None
        if not isinstance(properties, dict) or not isinstance(handler, str):
            continue
        folder = properties.get("CodeUri") or properties.get("Code") or ""
        symbol = _handler(path, folder if isinstance(folder, str) else "", handler, known, context)
        line = context.line_of(symbol)
        yield entry("lambda", str(name), "sam", symbol, line)
        events = properties.get("Events")
        for event in events.values() if isinstance(events, dict) else ():
            kind = event.get("Type") if isinstance(event, dict) else None
            inner = event.get("Properties") if isinstance(event, dict) else None
            if kind in ("Api", "HttpApi") and isinstance(inner, dict):
                method, route = str(inner.get("Method", "*")), str(inner.get("Path", "{?}"))
                yield http("*" if method == "ANY" else method.upper(), route, "sam", symbol, line)
            elif kind is not None:
                sort: EntryKind = "job" if str(kind).startswith("Schedule") else "event"
                yield entry(sort, f"{name} {kind}", "sam", symbol, line)


def _handler(path: str, folder: str, handler: str, known: frozenset[str], context: Context) -> SymbolId:
    """The function of `src/users.create`, the manifest itself where no such file is in the tree."""
    module, _, function = handler.rpartition(".")
    base = posixpath.normpath(posixpath.join(posixpath.dirname(path), folder, module.replace("::", "/")))
    for file in (*(base + suffix for suffix in _SUFFIXES), *(base.replace(".", "/") + suffix for suffix in _SUFFIXES)):
        if file in known:
            view = context.view(file)
            return SymbolId(file, function if view is not None and function in view.names else "")
    return SymbolId(path, "")


def _signature_marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    return tuple(
        Mark("lambda-signature", "handler", place, one.line, one.name)
        for place, one in enumerate(symbols.definitions)
        if one.parent == 0
        and one.kind == "function"
        and (
            tuple(parameter.name for parameter in one.parameters[:2]) == ("event", "context")
            or (one.name in ("handler", "lambda_handler") and [p.name for p in one.parameters[:1]] == ["event"])
        )
    )


def _join_signatures(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    for path, every in marks.items():
        for mark in every:
            likely = 0.8 if "handler" in mark.chain else 0.5
            yield entry(
                "lambda", f"{path}:{mark.chain}", "aws-lambda", context.symbol(path, mark.within), mark.line, likely
            )


FINDERS = (
    Finder("schedules", _join),
    Finder("lambda-signature", _join_signatures, (*PYTHON, *SCRIPT), frozenset((EVENT,)), _signature_marks),
)
