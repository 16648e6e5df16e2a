"""Python: a source with every construct, and exactly what the reader says of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reach.generated import FILES
from tests.reach.generated import source as made_up
from tests.reach.symbol_lines import bindings, changed, definitions, read, references
from tidegate.reach.languages.python import PYTHON
from tidegate.reach.languages.python_digests import digests_match
from tidegate.reach.symbols import Gap, Text

SHOP = '''\
"""The shop."""
from __future__ import annotations
import os.path
import json as j
from . import core
from ..base import Keeper as K, Ware
from .names import *
from typing import TYPE_CHECKING, Any, Optional
if TYPE_CHECKING:
    from .late import Late

LIMIT = 3
names = ["sell", "keep"]
TABLE = {"a": sell, "b": core.keep}
first, second = Ware(), K()
count: int = 0
later: Optional["Late"] = None

@decorated
@core.registered("shop", kind=K)
class Shop(K, core.Base[int], metaclass=Meta):
    """A shop."""
    rate: float = 1.0
    kind = Ware
    class Inner(Ware): ...

    def __init__(self, ware: Ware, *more: K, at: str = "x", deep: list[Ware] | None = None, **rest) -> None:
        self.ware = ware
        self.kept: dict[str, Ware] = {}
        self.kept["x"] = Ware()
        self.made, self._own = K(), core.make()
        super().__init__(at)

    @property
    def best(self) -> Ware: return self.ware

    @best.setter
    def best(self, ware): self.ware = ware

    @classmethod
    def new(cls, *a) -> Self: return cls(*a)

    @staticmethod
    def rest(x): return x

    async def fetch(self, client):
        async with client.get("https://x.y/z") as answer:
            return await answer.json()

    def each(self):
        for ware in self.kept.values():
            yield ware
        yield from self.more()

def sell(ware, how=core.cheap, *, to=None):
    if isinstance(ware, (Ware, K)):
        return ware.price
    elif to:
        return to(ware)
    try:
        made = ware or core.make()
    except (ValueError, core.Gone) as error:
        error.explain()
        raise core.Gone from error
    finally:
        close()
    with open("etc/shop.conf") as file, core.lock():
        file.read()
    match ware:
        case Ware(name=n): n.act()
        case [a, *b]: a.act()
    def inner(x=made):
        nonlocal made
        made = x
        global count
        count = 1
        return made
    call = lambda x: x.act(made)
    return [w.act() for w in made if w.ok] or inner
'''


def test_definitions() -> None:
    assert definitions(read(PYTHON, SHOP)) == [
        "12-12 public constant LIMIT",
        "13-13 public variable names",
        "14-14 public constant TABLE",
        "16-16 public variable count",
        "17-17 public variable later",
        "19-53 public class Shop : K, core.Base @decorated @core.registered()",
        "23-23 public variable Shop.rate",
        "24-24 public variable Shop.kind",
        "25-25 public class Shop.Inner : Ware",
        "27-32 public method Shop.__init__(self: , ware: Ware!, *more: K!, at: %str = %str, deep: Ware!*, **rest: )",
        "34-35 public method Shop.best(self: ) -> Ware! | self.ware @property [property]",
        "37-38 public method Shop.best(self: , ware: ) @best.setter [property]",
        "40-41 public method Shop.new(cls: , *a: ) -> self | cls() @classmethod [class]",
        "43-44 public method Shop.rest(x: ) -> x @staticmethod [static]",
        "46-48 public method Shop.fetch(self: , client: ) -> answer.json() [async]",
        "50-53 public method Shop.each(self: ) -> ware* | self.more() [generator]",
        "55-79 public function sell(ware: , how:  = core.cheap, to: ) -> ware.price | to() | w.act()* | inner",
        "72-77 public function sell.inner(x:  = made) -> made",
    ]


def test_bindings() -> None:
    assert bindings(read(PYTHON, SHOP)) == [
        "-: annotations = <__future__>.annotations (import)",
        "-: os = <os> (import)",
        "-: j = <json> (import)",
        "-: core = <.>.core (import)",
        "-: K = <..base>.Keeper (import)",
        "-: Ware = <..base>.Ware (import)",
        "-: * = <.names>.* (import)",
        "-: TYPE_CHECKING = <typing>.TYPE_CHECKING (import)",
        "-: Any = <typing>.Any (import)",
        "-: Optional = <typing>.Optional (import)",
        "-: Late = <.late>.Late (import)",
        "-: LIMIT = %int (assign in LIMIT)",
        "-: names = %list (assign in names)",
        "-: TABLE = sell* (assign in TABLE)",
        "-: TABLE = core.keep* (assign in TABLE)",
        "-: first = Ware() (assign)",
        "-: second = K() (assign)",
        "-: count = %int (annotation in count)",
        "-: count = %int (assign in count)",
        "-: later = Late! (annotation in later)",
        "-: later = ? (assign in later)",
        "Shop: rate = %float (annotation in Shop.rate)",
        "Shop: rate = %float (assign in Shop.rate)",
        "Shop: kind = Ware (assign in Shop.kind)",
        "Shop: ware = ware (assign in Shop.__init__)",
        "Shop: kept = Ware!* (annotation in Shop.__init__)",
        "Shop: kept = %dict (assign in Shop.__init__)",
        "Shop: kept = Ware()* (assign in Shop.__init__)",
        "Shop: made = K() (assign in Shop.__init__)",
        "Shop: _own = core.make() (assign in Shop.__init__)",
        "Shop: ware = ware (assign in Shop.best)",
        "Shop.fetch: answer = client.get().__aenter__() (assign)",
        "Shop.each: ware = self.kept.values()[] (assign)",
        "sell: ware = Ware! (narrow)",
        "sell: ware = K! (narrow)",
        "sell: made = ware (assign)",
        "sell: made = core.make() (assign)",
        "sell: error = ValueError! (narrow)",
        "sell: error = core.Gone! (narrow)",
        "sell: file = ? (assign)",
        "sell: ware = Ware! (narrow)",
        "sell: made = x (assign in sell.inner)",
        "-: count = %int (assign in sell.inner)",
        "sell: call = %func (assign)",
        "sell: w = made[] (assign)",
    ]


def test_references() -> None:
    symbols = read(PYTHON, SHOP)
    found = {one.name: references(symbols, one.name) for one in symbols.definitions}
    assert found == {
        "": [
            "import <__future__>.annotations",
            "import <os.path>",
            "import <json>",
            "import <.>.core",
            "import <..base>.Keeper",
            "import <..base>.Ware",
            "import <.names>.*",
            "import <typing>.TYPE_CHECKING",
            "import <typing>.Any",
            "import <typing>.Optional",
            "read TYPE_CHECKING",
            "call Ware",
            "call K",
        ],
        "LIMIT": [],
        "names": [
            "pass sell",
            "read sell.%",
            "pass keep",
            "read keep.%",
        ],
        "TABLE": [
            "pass sell",
            "pass core.keep",
        ],
        "count": [],
        "later": [
            "type Late",
        ],
        "Shop": [
            "decorate decorated",
            "pass K",
            'decorate core.registered("shop", kind=K)',
            "inherit K",
            "inherit core.Base",
            "pass Meta",
            "decorate Meta",
        ],
        "Shop.rate": [],
        "Shop.kind": [
            "pass Ware",
        ],
        "Shop.Inner": [
            "inherit Ware",
        ],
        "Shop.__init__": [
            "type Ware",
            "type K",
            "type Ware",
            "write self.ware(ware)",
            "type Ware",
            "write self.kept(Ware!*)",
            "write self.kept",
            "call Ware",
            "read self.kept",
            "call K",
            "write self.made(K())",
            "call core.make",
            "write self._own(core.make())",
            "call super.__init__(at)",
        ],
        "Shop.best": [
            "decorate property",
            "type Ware",
            "pass self.ware",
            "decorate best.setter",
            "write self.ware(ware)",
        ],
        "Shop.new": [
            "decorate classmethod",
            "call cls(a[])",
        ],
        "Shop.rest": [
            "decorate staticmethod",
        ],
        "Shop.fetch": [
            'call client.get("https://x.y/z")',
            "call client.get().__aenter__",
            "call client.get().__aexit__",
            "call answer.json",
        ],
        "Shop.each": [
            "call self.kept.values",
            "call self.more",
        ],
        "sell": [
            "pass core.cheap",
            "type Ware",
            "type K",
            "pass ware.price",
            "call to(ware)",
            "call core.make",
            "read core.Gone",
            "call error.explain",
            "pass core.Gone",
            "call close",
            "call core.lock",
            "call core.lock().__enter__",
            "call core.lock().__exit__",
            "call file.read",
            "read Ware",
            "call n.act",
            "call a.act",
            "call x.act(made)",
            "read w.ok",
            "call w.act",
        ],
        "sell.inner": [
            "pass made",
            "pass made",
        ],
    }


def test_texts() -> None:
    assert read(PYTHON, SHOP).texts == (Text(15, "https://x.y/z", 47), Text(17, "etc/shop.conf", 67))
    symbols = read(PYTHON, "x = ['a.b', 'SELECT 1 FROM t', 'plain', 'two words.', 'a_b', 'f(', 'ab', 'l\\n.x']")
    assert [text.value for text in symbols.texts] == ["a.b", "SELECT 1 FROM t", "a_b"]


@pytest.mark.parametrize(
    ("expression", "chain"),
    [
        ("a", "a"),
        ("a.b.c", "a.b.c"),
        ("a()", "a()"),
        ("a[0].b", "a[].b"),
        ("await a()", "a()"),
        ("[*a]", "a[]*"),
        ("a if c else b", "a|b"),
        ("a or b", "a|b"),
        ("[a, b()]", "a*|b()*"),
        ("{'k': a}", "a*"),
        ("{a}", "a*"),
        ("(a, b)", "a*|b*"),
        ("[]", "%list"),
        ("{}", "%dict"),
        ("'x'", "%str"),
        ("f'{a}'", "%str"),
        ("b'x'", "%bytes"),
        ("1", "%int"),
        ("1.5", "%float"),
        ("True", "%int"),
        ("None", "?"),
        ("'x' % a", "%str"),
        ("a + b", "?"),
        ("not a", "?"),
        ("a < b", "?"),
        ("lambda: a", "%func"),
        ("[x.y for x in a]", "x.y*"),
        ("{k: v for k, v in a}", "v*"),
        ("(x for x in a)", "x*"),
        ("(y := a())", "y"),
        ("partial(a, 1)", "a"),
        ("functools.partial(a.b)", "a.b"),
        ("cast(A, x)", "A!"),
        ("cast('list[A]', x)", "A!*"),
        ("t.cast(A, x)", "A!"),
        ("getattr(a, 'b')", "a.b"),
        ("getattr(a, 'b', None)", "a.b"),
        ("getattr(a, b)", "?"),
        ("next(a)", "a[]"),
        ("next(iter(a))", "a[]"),
        ("min(a)", "a[]"),
        ("sorted(a)", "a"),
        ("list(a)", "a"),
        ("list()", "%list"),
        ("tuple(a)", "a"),
        ("filter(f, a)", "a"),
        ("map(f, a)", "f()*"),
        ("type(a)", "a.__class__"),
        ("str(a)", "%str"),
        ("len(a)", "%int"),
        ("dict(a=b)", "%dict"),
        ("isinstance(a, A)", "%int"),
        ("import_module('a.b')", "<a.b>"),
        ("importlib.import_module('a.b').c", "<a.b>.c"),
        ("open(a)", "?"),
        ("a(b)(c)", "a()()"),
        ("a[1:2]", "a[]"),
    ],
)
def test_what_an_expression_means(expression: str, chain: str) -> None:
    symbols = read(PYTHON, f"def f():\n    x = {expression}\n    return x\n")
    found = [one.value for one in symbols.bindings if one.name == "x" and one.line == 2 and one.scope == 1]
    assert "|".join(value for value in found if not value.endswith("a[]") or len(found) == 1) == chain


@pytest.mark.parametrize(
    ("annotation", "chains"),
    [
        ("A", "A!"),
        ("m.A", "m.A!"),
        ("'A'", "A!"),
        ("Optional[A]", "A!"),
        ("Union[A, B]", "A!|B!"),
        ("A | None", "A!"),
        ("'A | B'", "A!|B!"),
        ("list[A]", "A!*"),
        ("typing.List['A']", "A!*"),
        ("dict[str, A]", "A!*"),
        ("Mapping[str, list[A]]", "A!**"),
        ("tuple[A, B]", "A!*|B!*"),
        ("Iterator[A]", "A!*"),
        ("Generator[A, None, B]", "A!*"),
        ("Coroutine[None, None, A]", "A!"),
        ("Awaitable[A]", "A!"),
        ("type[A]", "A"),
        ("Annotated[A, depends(B)]", "A!"),
        ("ClassVar[A]", "A!"),
        ("Callable[[A], B]", "%func"),
        ("Box[A]", "Box!"),
        ("str", "%str"),
        ("list[str]", "%list"),
        ("list", "%list"),
        ("Any", ""),
        ("None", ""),
        ("Literal['a']", ""),
        ("'not valid ('", ""),
    ],
)
def test_what_an_annotation_means(annotation: str, chains: str) -> None:
    symbols = read(PYTHON, f"def f(x: {annotation}): ...\n")
    assert symbols.definitions[1].parameters[0].type == chains


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("eval(x)", "eval"),
        ("exec(x)", "eval"),
        ("globals()[x]", "reflection"),
        ("getattr(a, x)", "reflection"),
        ("setattr(a, x, 1)", "reflection"),
        ("__import__(x)", "reflection"),
        ("importlib.import_module(x)", "dynamic-import"),
        ("import_module(f'a.{x}')", "dynamic-import"),
        ("getattr(a, 'x')", ""),
        ("hasattr(a, x)", ""),
        ("import_module('a')", ""),
    ],
)
def test_where_reading_stops(statement: str, reason: str) -> None:
    gaps = read(PYTHON, f"def f(x):\n    {statement}\n").gaps
    assert gaps == ((Gap(1, reason, 2),) if reason else ())


def test_members_by_name_and_by_how_the_name_begins() -> None:
    source = """
        def f(x):
            getattr(a, "b")
            setattr(a, "c", x)
            getattr(a, f"visit_{x}")
            getattr(a, "on_%s" % x)
            getattr(a, x)
            delattr(a, "d")
    """
    assert references(read(PYTHON, source), "f") == [
        "read a.b",
        "write a.c",
        "read a.visit_%",
        "read a.on_%",
        "read a.%",
        "write a.d",
    ]


@pytest.mark.parametrize(
    ("body", "branch"),
    [
        ("a()", 0),
        ("for x in y: a()", 1),
        ("while y: a()", 1),
        ("if y: return\n    a()", 2),
        ("if y:\n        pass\n    else:\n        raise x\n    a()", 2),
        ("if y: a()", 3),
        ("if y:\n        pass\n    else: a()", 3),
        ("y and a()", 3),
        ("x = a() if y else 1", 3),
        ("if y:\n        if z: a()", 4),
        ("try: pass\n    except E: a()", 5),
        ("try: a()\n    except E: pass", 0),
        ("try: pass\n    finally: a()", 0),
        ("with y: a()", 0),
        ("lambda: a()", 3),
        ("match y:\n        case 1: a()", 3),
        ("if a(): pass", 0),
        ("for x in y:\n        if z: continue\n        a()", 2),
    ],
)
def test_under_which_condition_a_line_runs(body: str, branch: int) -> None:
    symbols = read(PYTHON, f"def f(y, z):\n    {body}\n")
    assert [one.branch for one in symbols.references if one.chain == "a"] == [branch]


def test_a_match_says_what_a_value_is() -> None:
    source = """
        def f(x):
            match x:
                case A(): x.a()
                case B(n=1) as b: b.b()
                case C() | m.D(): x.c()
                case [E(), *_]: x.e()
    """
    assert bindings(read(PYTHON, source)) == [
        "f: x = A! (narrow)",
        "f: x = B! (narrow)",
        "f: b = B! (narrow)",
        "f: x = C! (narrow)",
        "f: x = m.D! (narrow)",
    ]


def test_scopes_of_globals_and_of_what_is_not_local() -> None:
    source = """
        def outer():
            kept = A()
            def inner():
                nonlocal kept
                kept = B()
                global top
                top = C()
    """
    assert bindings(read(PYTHON, source)) == [
        "outer: kept = A() (assign)",
        "outer: kept = B() (assign in outer.inner)",
        "-: top = C() (assign in outer.inner)",
    ]


def test_receivers_by_whatever_name() -> None:
    source = """
        class A(B):
            def m(this): this.x(); super().y(); type(this).z; this.__class__.w()
            @classmethod
            def c(klass): klass.x()
            @staticmethod
            def s(self): self.x()
            def outer(self):
                def inner(): self.x()
        def free(self): self.x()
    """
    symbols = read(PYTHON, source)
    assert references(symbols, "A.m", "call", "read") == [
        "call self.x",
        "call super.y",
        "read cls.z",
        "call cls.w",
    ]
    assert references(symbols, "A.c") == ["decorate classmethod", "call cls.x"]
    assert references(symbols, "A.s") == ["decorate staticmethod", "call self.x"]
    assert references(symbols, "A.outer.inner") == ["call self.x"]
    assert references(symbols, "free") == ["call self.x"]


# Digests

DIGESTED = '''
"""Docs."""
LIMIT = 3

@kept
class A(Base, metaclass=Meta):
    """What it is."""
    x = 1

    @property
    def m(self, a: int, b=2) -> str:
        """Says."""
        # why
        if a:
            return  "x"
        def inner(): return 1
        return b

if LIMIT:
    def late(): ...

print(A)
'''


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("# why", "# because\n        # of that", {}),
        ('return  "x"', "return 'x'", {}),
        ("\nif LIMIT", "\n\n\n\nif LIMIT", {}),
        ('"""Says."""', '"""Speaks."""', {"A.m": ["docs"]}),
        ('"""What it is."""', "'''What it was.'''", {"A": ["docs"]}),
        ('"""Docs."""', '"""Doc."""', {"": ["docs"]}),
        ("return b", "return a", {"A.m": ["body"]}),
        ("b=2", "b=3", {"A.m": ["defaults"]}),
        ("b=2", "*, b=2", {"A.m": ["signature"]}),
        ("a: int", "a: float", {"A.m": ["signature"]}),
        ("-> str", "-> int", {"A.m": ["signature"]}),
        ("def m(", "async def m(", {"A.m": ["signature"]}),
        ("a: int, b=2", "a: int = 1, b=2", {"A.m": ["signature", "defaults"]}),
        ("@property", "@cached_property", {"A.m": ["decorators"]}),
        ("@kept", "@kept(1)", {"A": ["decorators"]}),
        ("A(Base,", "A(Other,", {"A": ["bases"]}),
        ("metaclass=Meta", "metaclass=Other", {"A": ["bases"]}),
        ("LIMIT = 3", "LIMIT = 4", {"LIMIT": ["body"]}),
        ("    x = 1", "    x = 2", {"A.x": ["body"]}),
        ("return 1", "return 2", {"A.m.inner": ["body"]}),
        ("def inner(): return 1", "inner = 1", {"A.m": ["body"], "A.m.inner": ["gone"]}),
        ("def late(): ...", "def late(): pass", {"late": ["body"]}),
        ("if LIMIT:", "if not LIMIT:", {"": ["body"]}),
        ("print(A)", "print(LIMIT)", {"": ["body"]}),
        ("def m(", "def n(", {"A.m": ["gone"], "A.m.inner": ["gone"], "A.n": ["new"], "A.n.inner": ["new"]}),
    ],
)
def test_digests_move_with_what_changed(old: str, new: str, expected: dict[str, list[str]]) -> None:
    assert DIGESTED.count(old) == 1
    assert changed(PYTHON, DIGESTED, DIGESTED.replace(old, new)) == expected


def test_digests_and_symbols_of_the_whole_project_stand_in_one_order() -> None:
    root = Path(__file__).parents[2]
    paths = sorted([*(root / "src").rglob("*.py"), *(root / "tests").rglob("*.py")])[::7]
    assert len(paths) > 30
    for path in paths:
        source = path.read_bytes()
        assert digests_match(PYTHON.read_symbols(source, ".py").definitions, PYTHON.read_digests(source, ".py")), path


@settings(max_examples=60)
@given(st.randoms(use_true_random=True), st.sampled_from(FILES))
def test_digests_and_symbols_of_any_source_stand_in_one_order(random: object, path: str) -> None:
    source = made_up(random, path).encode()  # type: ignore[arg-type]
    assert digests_match(PYTHON.read_symbols(source, ".py").definitions, PYTHON.read_digests(source, ".py"))


SCOPES = ["if x:", "for x in y:", "while x:", "with x:", "try:", "class C:", "def f():", "async def g():"]


@given(st.lists(st.sampled_from(SCOPES), min_size=1, max_size=6), st.sampled_from(["N = 1", "n: int = 1", "n: int"]))
def test_definitions_in_any_nesting_stand_in_one_order(scopes: list[str], last: str) -> None:
    lines = []
    for depth, scope in enumerate(scopes):
        lines += [f"{'    ' * depth}before{depth} = 1", f"{'    ' * depth}{scope}"]
    lines.append("    " * len(scopes) + last)
    for depth in reversed(range(len(scopes))):
        if scopes[depth] == "try:":
            lines += [
                f"{'    ' * depth}except E: e = 1",
                f"{'    ' * depth}else: o = 1",
                f"{'    ' * depth}finally: z = 1",
            ]
        elif scopes[depth].startswith(("if", "for", "while")):
            lines += [f"{'    ' * depth}else: other = 1"]
    source = "\n".join(lines).encode()
    symbols = PYTHON.read_symbols(source, ".py")
    assert not symbols.error
    assert digests_match(symbols.definitions, PYTHON.read_digests(source, ".py")), source.decode()


# Layout

PATHS = [
    "src/shop/__init__.py",
    "src/shop/core.py",
    "src/shop/deep/__init__.py",
    "src/shop/deep/core.py",
    "src/shop/types.pyi",
    "space/inner/mod.py",
    "tests/__init__.py",
    "tests/helpers.py",
    "tests/unit/test_a.py",
    "tests/unit/helpers.py",
    "other/tests/helpers.py",
    "setup.py",
    "both.py",
    "both/__init__.py",
]


@pytest.mark.parametrize(
    ("spec", "path", "expected"),
    [
        ("shop", "setup.py", "src/shop/__init__.py"),
        ("shop.core", "setup.py", "src/shop/core.py"),
        ("shop.deep.core", "tests/helpers.py", "src/shop/deep/core.py"),
        ("src.shop.core", "setup.py", "src/shop/core.py"),
        ("shop.types", "setup.py", "src/shop/types.pyi"),
        ("core", "setup.py", ""),
        ("deep.core", "src/shop/core.py", ""),
        (".core", "src/shop/__init__.py", "src/shop/core.py"),
        (".", "src/shop/core.py", "src/shop/__init__.py"),
        ("..core", "src/shop/deep/core.py", "src/shop/core.py"),
        ("..", "src/shop/deep/core.py", "src/shop/__init__.py"),
        (".deep.core", "src/shop/core.py", "src/shop/deep/core.py"),
        ("....x", "src/shop/core.py", ""),
        ("space.inner.mod", "setup.py", "space/inner/mod.py"),
        ("inner.mod", "setup.py", "space/inner/mod.py"),
        ("helpers", "tests/unit/test_a.py", "tests/unit/helpers.py"),
        ("tests.helpers", "tests/unit/test_a.py", "tests/helpers.py"),
        ("tests.helpers", "other/tests/helpers.py", "other/tests/helpers.py"),
        ("both", "setup.py", "both/__init__.py"),
        ("os.path", "setup.py", ""),
        ("setup", "src/shop/core.py", "setup.py"),
    ],
)
def test_where_an_import_leads(spec: str, path: str, expected: str) -> None:
    layout = PYTHON.read_layout(dict.fromkeys(PATHS, ""), PATHS, lambda paths: {})
    assert layout.find(spec, path) == ((expected,) if expected else ())
    assert layout.visible(path) == ()


# Hostile sources


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (b"x = " + b"(" * 10_000 + b")" * 10_000, "line 1"),
        (b"x = " + b"[" * 10_000 + b"]" * 10_000, "line 1"),
        (b"x = 1\0\n", "syntax error"),
        (b"def f(:\n", "syntax error in line 1"),
        (b"x = '\xff'\n", "syntax error"),
        (b"# -*- coding: no-such-coding -*-\n", "syntax error"),
        (b"\xff\xfex\0", ""),
        (b"if x:\n" + b" " * 10 + b"pass\n\tpass", "syntax error"),
        (
            b"def f():\n" + b"".join(b" " * n + b"if x:\n" for n in range(1, 200)) + b" " * 200 + b"pass\n",
            "syntax error",
        ),
    ],
)
def test_what_is_no_python_says_so(source: bytes, error: str) -> None:
    symbols = PYTHON.read_symbols(source, ".py")
    assert symbols.error
    assert error in symbols.error or "cannot be parsed" in symbols.error
    assert symbols.definitions == ()
    assert PYTHON.read_digests(source, ".py") == ()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (b"", [""]),
        (b"\xef\xbb\xbfdef f(): ...\n", ["", "f"]),
        ("# -*- coding: latin-1 -*-\ndef f(): return 'caf\xe9.x'\n".encode("latin-1"), ["", "f"]),
        (b"def f(): ...\r\ndef g(): ...\r\n", ["", "f", "g"]),
        ("def ünï(): ...\n".encode(), ["", "ünï"]),
        (b"\x0cdef f(): ...\n", ["", "f"]),
        (b"def f(): return '\\ud800.x'\n", ["", "f"]),
    ],
)
def test_odd_but_valid(source: bytes, names: list[str]) -> None:
    symbols = PYTHON.read_symbols(source, ".py")
    assert not symbols.error
    assert [one.name for one in symbols.definitions] == names
    assert digests_match(symbols.definitions, PYTHON.read_digests(source, ".py"))


@pytest.mark.parametrize(
    "source",
    [
        b"x = '" + b"a" * (5 << 20) + b"'\ndef f(): ...\n",
        b"x = [" + b"1, " * 60_000 + b"]\ndef f(): ...\n",
        b"x = " + b"1 + " * 3_000 + b"1\ndef f(): ...\n",
        b"x = a" + b".b" * 3_000 + b"\ndef f(): ...\n",
        b"x = a" + b".b()" * 3_000 + b"\ndef f(): ...\n",
        b"if a: pass\n" + b"elif b: pass\n" * 900 + b"def f(): ...\n",
        b"x = " + b"not " * 3_000 + b"a\ndef f(): ...\n",
    ],
    ids=["text", "list", "sum", "names", "calls", "elif", "not"],
)
def test_long_lines_take_bounded_time(source: bytes) -> None:
    began = time.monotonic()
    symbols = PYTHON.read_symbols(source, ".py")
    digests = PYTHON.read_digests(source, ".py")
    assert time.monotonic() - began < 10
    assert symbols.error or [one.name for one in symbols.definitions][-1] == "f"
    assert bool(symbols.error) == (not symbols.definitions)
    assert not digests or digests_match(symbols.definitions, digests) or symbols.error
