"""Services of protocol buffers and the classes that answer for their methods, found by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.entries import chains
from tidegate.reach.entries.context import Context
from tidegate.reach.entries.features import GRPC
from tidegate.reach.entries.finder import Finder, MarksByPath
from tidegate.reach.entries.interface import Mark
from tidegate.reach.symbols import FileSymbols

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)
_SERVICE = re.compile(r"\bservice\s+(\w+)\s*\{")
_METHOD = re.compile(r"\brpc\s+(\w+)\s*\(")
_BASE = re.compile(r"^(?:Unimplemented)?(\w+?)(?:Servicer|ImplBase|CoroutineImplBase|Server|Service)$")
_REGISTER = re.compile(r"^(?:Register(\w+)Server|add_(\w+)Servicer_to_server)$")


def _marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    found: list[Mark] = []
    for place, one in enumerate(symbols.definitions):
        for base in one.bases:
            match = _BASE.match(chains.last(base))
            if match:
                found.append(Mark("rpc", "class", place, one.line, match[1]))
    for reference in symbols.references:
        match = _REGISTER.match(chains.last(reference.chain)) if reference.kind == "call" else None
        if match:
            service = match[1] or match[2]
            found.append(Mark("rpc", "register", reference.within, reference.line, service, reference.arguments))
    return tuple(found)


def _join(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    protos = [path for path in context.sources.paths if path.endswith(".proto")]
    context.fetch(protos)
    classes = _implementations(marks, context) if protos else {}
    for path in protos:
        text = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), context.text(path))
        package = _PACKAGE.search(text)
        for service in _SERVICE.finditer(text):
            full = f"{package[1]}.{service[1]}" if package else service[1]
            for method in _METHOD.finditer(text, service.end(), _end(text, service.end())):
                line = text.count("\n", 0, method.start()) + 1
                yield from _method(path, full, method[1], line, classes.get(service[1], []), context)


def _end(text: str, start: int) -> int:
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return len(text)


def _implementations(marks: MarksByPath, context: Context) -> dict[str, list[SymbolId]]:
    found: dict[str, list[SymbolId]] = {}
    for path, every in marks.items():
        if path.endswith((".pb.go", "_pb2_grpc.py", "_pb2.py", "Grpc.java")):
            continue
        for mark in every:
            if mark.what == "class":
                found.setdefault(mark.chain, []).append(context.symbol(path, mark.within))
                continue
            for argument in mark.arguments:
                for symbol in context.resolve(path, mark.within, argument.removesuffix("()")):
                    found.setdefault(mark.chain, []).append(symbol)
    return found


def _method(
    path: str, service: str, method: str, line: int, classes: list[SymbolId], context: Context
) -> Iterator[EntryPoint]:
    name = f"/{service}/{method}"
    found = False
    for symbol in dict.fromkeys(classes):
        view = context.view(symbol.path)
        for spelled in (method, method[:1].lower() + method[1:], re.sub(r"(?<!^)(?=[A-Z])", "_", method).lower()):
            if view is not None and f"{symbol.name}.{spelled}" in view.names:
                handler = SymbolId(symbol.path, f"{symbol.name}.{spelled}")
                yield EntryPoint("rpc", name, "RPC", name, "grpc", handler, context.line_of(handler))
                found = True
                break
    if not found:
        yield EntryPoint("rpc", name, "RPC", name, "grpc", SymbolId(path, ""), line)


FINDERS = (Finder("rpc", _join, (".py", ".go", ".java", ".kt", ".ts", ".js"), frozenset((GRPC,)), _marks),)
