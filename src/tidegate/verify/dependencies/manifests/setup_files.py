"""`setup.cfg`, `setup.py` (its literal lists, by `ast`, never run) and `Pipfile`."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from tidegate.verify.dependencies.manifests.pyproject import poetry_requirements, toml_table
from tidegate.verify.dependencies.manifests.requirement import read_requirement
from tidegate.verify.dependencies.values import Lines, Listing, Requirement, UnreadableError, normal_name

_KEYS = {"install_requires": False, "tests_require": True, "setup_requires": True, "extras_require": False}


def read_setup_cfg(text: str) -> Listing:
    import configparser

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise UnreadableError(f"not in the form of setup.cfg ({type(error).__name__})") from error
    lines = Lines(text)
    asked: list[Requirement] = []
    for key, development in _KEYS.items():
        if parser.has_option("options", key):
            asked += _of_lines(parser.get("options", key), lines, development)
    if parser.has_section("options.extras_require"):
        for _, value in parser.items("options.extras_require"):
            asked += _optional(_of_lines(value, lines, development=False))
    name = parser.get("metadata", "name", fallback="")
    return Listing("pypi", tuple(asked), names=(normal_name("pypi", name),) if name else ())


def read_setup_py(text: str) -> Listing:
    """What the literal lists of `setup()` hold, also those that stand in a name of the module first."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"not Python that can be parsed ({type(error).__name__})") from error
    assigned = _assigned(tree)
    asked: list[Requirement] = []
    names: list[str] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            if keyword.arg in _KEYS:
                found = _of_literals(_texts(keyword.value, assigned), development=_KEYS[keyword.arg])
                asked += _optional(found) if keyword.arg == "extras_require" else found
            if keyword.arg in ("name", "module_name") and isinstance(keyword.value, ast.Constant):
                names.append(str(keyword.value.value))
        if (
            isinstance(node.func, ast.Name | ast.Attribute)
            and ast.unparse(node.func).endswith("Extension")
            and node.args
        ):
            first = node.args[0]
            names += [str(first.value)] if isinstance(first, ast.Constant) else []
    return Listing("pypi", tuple(asked), names=tuple(normal_name("pypi", name) for name in names))


def read_pipfile(text: str) -> Listing:
    table = toml_table(text)
    lines = Lines(text)
    asked: list[Requirement] = []
    for section, values in table.items():
        if isinstance(values, dict) and section not in ("requires", "scripts", "pipenv", "source"):
            for name, value in values.items():
                found = poetry_requirements(name, value, development=section != "packages")
                asked += [_at(one, lines.of(one.written)) for one in found]
    source = table.get("source")
    urls = [str(one.get("url", "")) for one in source if isinstance(one, dict)] if isinstance(source, list) else []
    return Listing("pypi", tuple(asked), indexes=tuple((url, lines.of(url)) for url in urls if url))


# Private


def _optional(asked: Iterator[Requirement]) -> Iterator[Requirement]:
    return (msgspec.structs.replace(one, optional=True) for one in asked)


def _at(one: Requirement, line: int) -> Requirement:
    spec = "" if one.spec == "*" else one.spec
    return Requirement(one.name, spec, line, one.development, one.source, one.hashed, one.written)


def _of_lines(value: str, lines: Lines, development: bool) -> Iterator[Requirement]:
    for raw in re.split(r"\n", value):
        one = read_requirement(raw.partition(" #")[0], 0, development=development)
        if one is not None and not raw.strip().startswith(("#", "file:")):
            yield Requirement(one.name, one.spec, lines.of(one.written), development, one.source, False, one.written)


def _assigned(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """What a name stands for, and what is added to it later."""
    found: dict[str, list[ast.expr]] = defaultdict(list)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Subscript):
                target = target.value
            if isinstance(target, ast.Name):
                found[target.id].append(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and node.func.attr in ("append", "extend", "insert", "add", "update"):
                found[owner.id] += node.args
    return found


def _texts(node: ast.expr, assigned: Mapping[str, list[ast.expr]]) -> Iterator[tuple[str, int]]:
    """The texts in a literal, lists and dictionaries of them opened, names followed a few steps."""
    level, seen = [node], 0
    while level and seen < 10_000:
        one = level.pop(0)
        seen += 1
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            for offset, text in enumerate(one.value.split("\n")):
                yield text, one.lineno + offset
        elif isinstance(one, ast.List | ast.Tuple | ast.Set):
            level += one.elts
        elif isinstance(one, ast.Dict):
            level += one.values
        elif isinstance(one, ast.BinOp):
            level += [one.left, one.right]
        elif isinstance(one, ast.ListComp | ast.GeneratorExp | ast.SetComp):
            level += [one.elt, *(inner.iter for inner in one.generators)]
        elif isinstance(one, ast.IfExp):
            level += [one.body, one.orelse]
        elif isinstance(one, ast.Starred | ast.NamedExpr):
            level.append(one.value)
        elif isinstance(one, ast.Call):
            level += _of_call(one)
        elif isinstance(one, ast.Name) and one.id in assigned and seen < 1_000:
            level += assigned[one.id]


def _of_call(call: ast.Call) -> list[ast.expr]:
    """What a call gives back in literals: a text that is split, a list that is made of another."""
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr in ("split", "splitlines", "strip"):
        text = function.value
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            apart = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
            parts = text.value.split(apart if isinstance(apart, str) and apart else None)
            lines = text.value.split("\n") if function.attr != "split" else parts
            return [ast.copy_location(ast.Constant(part), text) for part in lines]
        return [text]
    if isinstance(function, ast.Name) and function.id in ("list", "tuple", "set", "sorted", "dict"):
        return [*call.args, *(keyword.value for keyword in call.keywords)]
    return []


def _of_literals(texts: Iterable[tuple[str, int]], *, development: bool) -> Iterator[Requirement]:
    for text, line in texts:
        found = read_requirement(text, line, development=development)
        if found is not None:
            yield found
