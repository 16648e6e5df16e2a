"""`setup.cfg`, `setup.py` (its literal lists, by `ast`, never run) and `Pipfile`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

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
            asked += _of_lines(value, lines, development=False)
    name = parser.get("metadata", "name", fallback="")
    return Listing("pypi", tuple(asked), names=(normal_name("pypi", name),) if name else ())


def read_setup_py(text: str) -> Listing:
    """What the literal lists of `setup()` hold, also those that stand in a name of the module first."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"not Python that can be parsed ({type(error).__name__})") from error
    assigned = dict(_assigned(tree))
    asked: list[Requirement] = []
    names: list[str] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            if keyword.arg in _KEYS:
                asked += _of_literals(_texts(keyword.value, assigned), development=_KEYS[keyword.arg])
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


def _at(one: Requirement, line: int) -> Requirement:
    spec = "" if one.spec == "*" else one.spec
    return Requirement(one.name, spec, line, one.development, one.source, one.hashed, one.written)


def _of_lines(value: str, lines: Lines, development: bool) -> Iterator[Requirement]:
    for raw in re.split(r"\n", value):
        one = read_requirement(raw.partition(" #")[0], 0, development=development)
        if one is not None and not raw.strip().startswith(("#", "file:")):
            yield Requirement(one.name, one.spec, lines.of(one.written), development, one.source, False, one.written)


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                yield target.id, node.value


def _texts(node: ast.expr, assigned: Mapping[str, ast.expr]) -> Iterator[tuple[str, int]]:
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
        elif isinstance(one, ast.Name) and one.id in assigned and seen < 1_000:
            level.append(assigned[one.id])


def _of_literals(texts: Iterable[tuple[str, int]], *, development: bool) -> Iterator[Requirement]:
    for text, line in texts:
        found = read_requirement(text, line, development=development)
        if found is not None:
            yield found
