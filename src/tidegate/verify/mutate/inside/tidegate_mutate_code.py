"""Exchanges the code of living functions, and tells where modules came from. PYTEST_DONT_REWRITE"""

from __future__ import annotations
import __future__ as futures

import dis
import gc
import sys
import types
import warnings
from typing import Any


def find_functions(paths: Any, path_of: Any) -> dict[str, list[Any]]:
    """Every living function of these files of the tree, by file."""
    functions: dict[str, list[Any]] = {}
    for found in gc.get_objects():
        if type(found) is types.FunctionType:
            path = path_of(found.__code__.co_filename)
            if path in paths:
                functions.setdefault(path, []).append(found)
    return functions


def put_in(mutant: dict[str, Any], living: list[Any]) -> str:
    """Give every living function that holds the mutant its new code; says why that does not do, "" if it does."""
    if not living:
        return "skip"
    text = "\n" * (mutant["first"] - 1) + mutant["block"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(text, living[0].__code__.co_filename, "exec", _flags(mutant["futures"]), dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "invalid"
    fresh: dict[Any, list[Any]] = {}
    for inner in _codes(code):
        fresh.setdefault(_key(inner), []).append(inner)
    swapped = 0
    for function in living:
        new = fresh.get(_key(function.__code__))
        if not new and _executes(function.__code__, mutant):
            return "skip"  # a decorator has rewritten it, as typeguard does: our code would take that away
        if not new or new[0] == function.__code__ or not _holds(function.__code__, mutant):
            continue
        if len(new) > 1:
            return "skip"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                function.__code__ = new[0]
        except ValueError:  # it closes over other variables now
            return "skip"
        swapped += 1
    return "" if swapped else "skip"


def imported(paths: Any, path_of: Any) -> dict[str, str]:
    """Where the modules with mutants were imported from: "" for the tree itself, a path where it was another place."""
    found: dict[str, str] = {}
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if not isinstance(name, str) or not name.endswith(".py"):
            continue
        inside = path_of(name)
        if inside in paths:
            found[inside] = ""
            continue
        if inside:
            continue
        module_path = str(getattr(module, "__name__", "")).replace(".", "/")
        for path in paths:
            stem = path[: -len("/__init__.py")] if path.endswith("/__init__.py") else path[:-3]
            if path not in found and _same_module(stem, module_path):
                found[path] = name
    return found


# Private


def _codes(code: Any) -> Any:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _codes(constant)


def _flags(names: list[str]) -> int:
    flags = 0
    for name in names:
        flags |= getattr(getattr(futures, name, None), "compiler_flag", 0)
    return flags


def _key(code: Any) -> tuple[str, int]:
    return getattr(code, "co_qualname", code.co_name), code.co_firstlineno


def _executes(code: Any, mutant: dict[str, Any]) -> bool:
    return any(line in mutant["lines"] for _, line in dis.findlinestarts(code))


def _holds(code: Any, mutant: dict[str, Any]) -> bool:
    return bool(mutant["first"] <= code.co_firstlineno <= mutant["last"])


def _same_module(stem: str, module_path: str) -> bool:
    if "/" in module_path:
        return stem == module_path or stem.endswith("/" + module_path)
    return stem in (module_path, "src/" + module_path, "lib/" + module_path)
