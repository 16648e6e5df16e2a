"""Small Python projects made up at random, and edits of them. Names are few, so that files mean each other's."""

from __future__ import annotations

from random import Random

FILES = (
    "a.py",
    "b.py",
    "pkg/__init__.py",
    "pkg/c.py",
    "pkg/d.py",
    "src/lib/e.py",
    "conftest.py",
    "tests/conftest.py",
    "tests/test_one.py",
    "tests/test_two.py",
    "tests/sub/test_three.py",
)
_FUNCTIONS = ("f", "g", "h")
_CLASSES = ("A", "B", "C")
_METHODS = ("m", "n")
_MODULES = ("a", "b", "pkg", "pkg.c", "pkg.d", "lib.e", "tests.test_one")

_EXPRESSIONS = (
    "{f}()",
    "{A}()",
    "{A}().{m}()",
    "{A}().{m}()",
    "{f}().{m}()",
    "{M}.{f}()",
    "{M}.{A}().{m}()",
    "k.{f}()",
    "k.{A}().{m}()",
    "x.{m}()",
    "x.p",
    "self",
    "self.{m}()",
    "self.{m}().{m}()",
    "self.z.{m}()",
    "super().{m}()",
    "use({N})",
    "use({A}())",
    "T[0].{m}()",
    "getattr(x, '{m}')()",
    "getattr({A}(), 'm' + x)()",
    "'{M}.{N}'",
)
_STATEMENTS = (
    "{E}",
    "{E}",
    "return {E}",
    "x = {E}",
    "self.z = {E}",
    "for x in T: x.{m}()",
    "if isinstance(x, {A}): x.{m}()",
    "with {E} as y: y.{m}()",
    "from {M} import {N}",
)
_IMPORTS = (
    "from {M} import {N}",
    "from {M} import {N}",
    "from {M} import {N} as {N}",
    "from {M} import *",
    "import {M}",
    "import {M} as k",
    "from . import {N}",
    "from .c import {N}",
)


def project(random: Random) -> dict[str, str]:
    """A handful of files."""
    paths = sorted(random.sample(FILES, random.randint(3, 7)))
    return {path: source(random, path) for path in paths}


def edited(random: Random, base: dict[str, str]) -> dict[str, str]:
    """The project after a few files were added, deleted, renamed, written anew or changed in one place."""
    head = dict(base)
    for _ in range(random.randint(1, 3)):
        path = random.choice([*FILES, *head])
        what = random.choice(("new", "delete", "rename", "place", "place", "place"))
        if path not in head or what == "new":
            head[path] = source(random, path)
        elif what == "delete":
            del head[path]
        elif what == "rename":
            head[random.choice(FILES)] = head.pop(path)
        else:
            head[path] = _changed(random, head[path], source(random, path))
    return head


def source(random: Random, path: str) -> str:
    """A file that could stand at this path."""
    blocks = ["import pytest\n"]
    blocks += [_filled(random, random.choice(_IMPORTS)) + "\n" for _ in range(random.randint(0, 3))]
    kinds = [_function, _class, _class, _variable]
    if "conftest" in path:
        kinds = [_fixture, _fixture, _fixture, _function, _class]
    elif "test_" in path:
        kinds = [_test, _test, _test, _fixture, _test_class, _test_class, _function]
    blocks += [random.choice(kinds)(random) for _ in range(random.randint(1, 4))]
    return "".join(blocks)


def blocks_of(text: str) -> list[str]:
    """The top-level statements of a source, decorators with what they decorate."""
    blocks: list[str] = []
    for line in text.splitlines(keepends=True):
        decorated = blocks and blocks[-1].startswith("@") and blocks[-1].count("\n") == 1
        if blocks and (line[0] == " " or decorated):
            blocks[-1] += line
        else:
            blocks.append(line)
    return blocks


# Private


def _changed(random: Random, text: str, other: str) -> str:
    """One block less, one of another source more, or one line of a body of another kind."""
    blocks = blocks_of(text)
    what = random.randint(0, 3)
    if what == 0 and len(blocks) > 1:
        blocks.pop(random.randrange(len(blocks)))
    elif what == 1:
        blocks.insert(random.randrange(len(blocks) + 1), random.choice(blocks_of(other)))
    else:
        at = random.randrange(len(blocks))
        lines = blocks[at].splitlines(keepends=True)
        line = random.randrange(len(lines))
        indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
        if lines[line].startswith("class "):
            lines[line] = f"{lines[line].partition('(')[0]}({_bases(random)}):\n"
        elif indent and not lines[line].lstrip().startswith(("def ", "@")):
            lines[line] = indent + _filled(random, random.choice(_STATEMENTS)) + "\n"
        blocks[at] = "".join(lines)
    return "".join(blocks)


def _filled(random: Random, form: str) -> str:
    while "{" in form:
        before, _, rest = form.partition("{")
        choices = {
            "f": _FUNCTIONS,
            "A": _CLASSES,
            "m": _METHODS,
            "M": _MODULES,
            "N": _FUNCTIONS + _CLASSES,
            "E": _EXPRESSIONS,
        }[rest[0]]
        form = before + random.choice(choices) + rest[2:]
    return form


def _body(random: Random, indent: str) -> str:
    return "".join(f"{indent}{_filled(random, random.choice(_STATEMENTS))}\n" for _ in range(random.randint(1, 3)))


def _function(random: Random) -> str:
    hint = random.choice(("", "", ": A", ": B", ": 'C'"))
    returns = random.choice(("", "", " -> A", " -> 'list[B]'"))
    decorator = random.choice(("", "", "", "@f\n", "@k.g\n"))
    return f"{decorator}def {random.choice(_FUNCTIONS)}(x{hint}){returns}:\n{_body(random, '    ')}"


def _bases(random: Random) -> str:
    return ", ".join(random.sample([*_CLASSES, "k.A", "Outside"], random.choice((0, 1, 1, 2))))


def _class(random: Random, name: str = "", methods: tuple[str, ...] = ()) -> str:
    names = ["__init__", *_METHODS, *_METHODS, "__getitem__", "__enter__", *methods]
    text = f"class {name or random.choice(_CLASSES)}({_bases(random)}):\n"
    for method in dict.fromkeys(random.choices(names, k=random.randint(1, 3))):
        text += f"    def {method}(self):\n{_body(random, '        ')}"
    if random.random() < 0.3:
        text += f"    @property\n    def p(self):\n{_body(random, '        ')}"
    return text


def _test_class(random: Random) -> str:
    text = _class(random, random.choice(("TestA", "TestB")), ("test_m", "test_m", "test_n", "setup_method"))
    if random.random() < 0.3:
        text += "".join(f"    {line}\n" for line in _fixture(random, "self").splitlines())
    return text


def _fixture(random: Random, first: str = "") -> str:
    call = random.choice(("", "()", "(autouse=True)", "(name='fy')"))
    needs = ", ".join(part for part in (first, random.choice(("", "fx", "fy"))) if part)
    return f"@pytest.fixture{call}\ndef {random.choice(('fx', 'fy'))}({needs}):\n{_body(random, '    ')}"


def _test(random: Random) -> str:
    mark = random.choice(("", "", "@pytest.mark.usefixtures('fx')\n"))
    name, needs = random.choice(("test_a", "test_b")), random.choice(("", "fx", "fy", "fx, fy"))
    return f"{mark}def {name}({needs}):\n{random.choice(('', '    fx.m()', '    fy.n()'))}\n{_body(random, '    ')}"


def _variable(random: Random) -> str:
    return _filled(random, "T = [{N}, {E}]\n")
