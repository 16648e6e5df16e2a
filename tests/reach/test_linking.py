"""Small Python projects, and who can execute whom in them: the path that is there, and the one that is not."""

from __future__ import annotations

import pytest

from tests.reach.drawn import Runs, drawn, linked, verify

CASES: dict[str, tuple[str, str]] = {
    "an import, absolute and relative": (
        """
        shop/__init__.py
            from .core import sell as sold
        shop/core.py
            def sell(): ...
            def keep(): ...
        shop/other.py
            def sell(): ...
        main.py
            import shop.core
            from shop import core
            from shop.core import sell as s
            import shop
            def by_module(): shop.core.sell()
            def by_package(): core.sell()
            def by_name(): s()
            def by_export(): shop.sold()
        """,
        """
        by_module -> shop/core.py:sell
        by_module -/> keep, shop/other.py:sell
        by_package -> shop/core.py:sell
        by_package -/> keep, shop/other.py:sell
        by_name -> shop/core.py:sell
        by_name -/> keep, shop/other.py:sell
        by_export -> shop/core.py:sell
        by_export -/> keep, shop/other.py:sell
        """,
    ),
    "a chain of re-exports with stars": (
        """
        a/__init__.py
            from .b import *
        a/b/__init__.py
            from .c import *
            from .d import other
        a/b/c.py
            def deep(): ...
            def beside(): ...
        a/b/d.py
            def deep(): ...
            def other(): ...
        main.py
            from a import *
            def run(): deep()
            def more(): other()
        """,
        """
        run -> a/b/c.py:deep
        run -/> a/b/d.py:deep, beside, other
        more -> other
        more -/> beside
        """,
    ),
    "circular imports end": (
        """
        a.py
            from b import *
            from b import g
            def f(): g()
        b.py
            from a import *
            from a import f
            def g(): f()
            def h(): missing()
        """,
        """
        f -> g
        g -> f
        f -/> h
        """,
    ),
    "an import inside a function loads the module": (
        """
        lazy.py
            def late(): ...
            def never(): ...
        main.py
            def run():
                from lazy import late
                late()
            def idle(): ...
        """,
        """
        run -> late, lazy.py:
        run -/> never
        idle -/> late
        """,
    ),
    "names are seen from the inside out, classes are passed over": (
        """
        main.py
            def name(): ...
            class Box:
                def name(self): ...
                def use(self): name()
                def own(self): self.name()
            def outer():
                def name(): ...
                def inner(): name()
                inner()
        """,
        """
        Box.use -> main.py:name
        Box.use -/> Box.name, outer.name
        Box.own -> Box.name
        Box.own -/> main.py:name
        outer.inner -> outer.name
        outer.inner -/> main.py:name, Box.name
        """,
    ),
    "inheritance, and overriding where such an instance can exist": (
        """
        base.py
            class Base:
                def run(self): self.step()
                def step(self): ...
        kinds.py
            from base import Base
            class Left(Base):
                def step(self): ...
            class Right(Base):
                def step(self): ...
            class Leaf(Left): ...
        main.py
            from kinds import Left, Right, Leaf
            def left(): Left().run()
            def leaf(): Leaf().run()
            def right():
                r = Right()
                r.run()
        """,
        """
        left -> Base.run, Left.step
        left -/> Right.step
        leaf -> Left.step
        leaf -/> Right.step
        right -> Base.run, Right.step
        right -/> Left.step
        """,
    ),
    "a virtual call reaches only classes that can live there": (
        """
        shapes.py
            class Shape:
                def area(self): return 0
            class Square(Shape):
                def area(self): return 1
            class Circle(Shape):
                def area(self): return 2
            def total(shapes: list[Shape]):
                return sum(shape.area() for shape in shapes)
        test_shapes.py
            from shapes import Circle, Square, total
            def test_square(): assert total([Square()])
            def test_circle(): assert total([Circle()])
            def test_both(): assert total([Square(), Circle()])
            def test_none(): assert total([])
        """,
        """
        test_square -> total, Square.area
        test_square -/> Circle.area
        test_circle -> Circle.area
        test_circle -/> Square.area
        test_both -> Square.area, Circle.area
        test_none -> total
        test_none -/> Square.area, Circle.area
        """,
    ),
    "super goes on in the order of the instance's class": (
        """
        mix.py
            class Root:
                def go(self): ...
            class First(Root):
                def go(self): super().go()
            class Second(Root):
                def go(self): super(Second, self).go()
            class Both(First, Second):
                def go(self): super().go()
            class Apart(Root):
                def go(self): ...
            def both(): Both().go()
            def first(): First().go()
        """,
        """
        both -> Both.go, First.go, Second.go, Root.go
        both -/> Apart.go
        first -> First.go, Root.go
        first -/> Apart.go, Both.go
        """,
    ),
    "properties, cached or with a setter": (
        """
        main.py
            from functools import cached_property
            class Thing:
                @property
                def size(self): return measure()
                @size.setter
                def size(self, value): check()
                @cached_property
                def kept(self): return once()
                @property
                def inner(self): return Other()
            class Other:
                def act(self): ...
            def measure(): ...
            def check(): ...
            def once(): ...
            def read(): return Thing().size
            def cached(): return Thing().kept
            def through(): Thing().inner.act()
            def write():
                t = Thing()
                t.size = 3
        """,
        """
        read -> measure
        read -/> once
        cached -> once
        cached -/> measure
        through -> Other.act
        through -/> once
        write -> check
        write -/> once
        """,
    ),
    "constructors, inherited, of a data class and of a class of its own making": (
        """
        main.py
            from dataclasses import dataclass
            class Base:
                def __init__(self): prepare()
            class Child(Base): ...
            class Own(Base):
                def __init__(self): alone()
            class Maker:
                def __new__(cls): return make()
            @dataclass
            class Data:
                x: int = 0
                def __post_init__(self): after()
            def prepare(): ...
            def alone(): ...
            def make(): ...
            def after(): ...
            def child(): Child()
            def own(): Own()
            def maker(): Maker()
            def data(): Data(1)
        """,
        """
        child -> prepare
        child -/> alone
        own -> alone
        own -/> prepare
        maker -> make
        maker -/> after
        data -> after
        data -/> make
        """,
    ),
    "what a call gives: annotated, returned, a class method, self": (
        """
        main.py
            from __future__ import annotations
            class Cat:
                @classmethod
                def new(cls) -> Cat: return cls()
                @classmethod
                def other(cls): return cls()
                def same(self): return self
                def meow(self): ...
            class Kitten(Cat):
                def meow(self): ...
            class Dog:
                def bark(self): ...
            def annotated() -> "Cat": ...
            def returned(): return Cat()
            def either(x): return Cat() if x else Dog()
            def one(): annotated().meow()
            def two(): returned().meow()
            def three(): Kitten.other().same().meow()
            def four():
                either(1).meow()
                either(0).bark()
            def five(): Cat.new().meow()
        """,
        """
        two -> Cat.meow
        two -/> Dog.bark, Kitten.meow
        three -> Kitten.meow
        three -/> Cat.meow
        four -> Cat.meow, Dog.bark
        five -> Cat.meow
        five -/> Kitten.meow, Dog.bark
        """,
    ),
    "annotated parameters and attributes": (
        """
        main.py
            from typing import Optional, Union
            class A:
                def act(self): ...
            class B:
                def act(self): ...
            class C:
                def act(self): ...
            class Holder:
                one: A
                def __init__(self, two: B, three=None):
                    self.two = two
                    self.three = three or C()
                def first(self): self.one.act()
                def second(self): self.two.act()
                def third(self): self.three.act()
            def optional(x: Optional[A]): x.act()
            def union(x: "A | B"): x.act()
            def start():
                optional(A())
                C()
                B()
            def again():
                union(A())
                B()
                C()
            def hold():
                A()
                h = Holder(B())
                h.first()
            def hold_two():
                A()
                Holder(B()).second()
            def hold_three():
                A()
                Holder(B()).third()
        """,
        """
        start -> A.act
        start -/> B.act, C.act
        again -> A.act, B.act
        again -/> C.act
        hold -> A.act
        hold -/> B.act, C.act
        hold_two -> B.act
        hold_two -/> A.act, C.act
        hold_three -> C.act
        hold_three -/> A.act, B.act
        """,
    ),
    "containers: lists, dictionaries, comprehensions, unpacking": (
        """
        main.py
            class A:
                def act(self): ...
            class B:
                def act(self): ...
            def a_list():
                B()
                for x in [A(), A()]: x.act()
            def a_dict():
                B()
                d = {"k": A()}
                d["k"].act()
            def values():
                B()
                d = {"k": A()}
                for x in d.values(): x.act()
            def items():
                B()
                d = {"k": A()}
                for k, x in d.items(): x.act()
            def comprehension():
                B()
                return [x.act() for x in [A()]]
            def unpacked():
                a, b = A(), B()
                a.act()
            def stored():
                B()
                d = {}
                d["x"] = A()
                d.get("x").act()
            def starred():
                B()
                first, *rest = [A(), A()]
                first.act()
            def walrus():
                B()
                if (x := A()): x.act()
        """,
        """
        a_list -> A.act
        a_list -/> B.act
        a_dict -> A.act
        a_dict -/> B.act
        values -> A.act
        values -/> B.act
        items -> A.act
        items -/> B.act
        comprehension -> A.act
        comprehension -/> B.act
        unpacked -> A.act
        unpacked -/> B.act
        stored -> A.act
        stored -/> B.act
        starred -> A.act
        starred -/> B.act
        walrus -> A.act
        walrus -/> B.act
        """,
    ),
    "context managers": (
        """
        main.py
            from contextlib import contextmanager
            class File:
                def __enter__(self): return Handle()
                def __exit__(self, *a): close()
            class Handle:
                def write(self): ...
            class Pen:
                def write(self): ...
            @contextmanager
            def opened():
                yield Handle()
            class Later:
                async def __aenter__(self): return self
                async def __aexit__(self, *a): ...
                def tell(self): ...
            def close(): ...
            def by_class():
                Pen()
                with File() as f: f.write()
            def by_generator():
                Pen()
                with opened() as f: f.write()
            async def later():
                async with Later() as l: l.tell()
        """,
        """
        by_class -> File.__enter__, File.__exit__, close, Handle.write
        by_class -/> Pen.write, opened
        by_generator -> opened, Handle.write
        by_generator -/> Pen.write, close
        later -> Later.__aenter__, Later.__aexit__, Later.tell
        later -/> close
        """,
    ),
    "isinstance, match and except say what a value is": (
        """
        main.py
            class A:
                def act(self): ...
            class B:
                def act(self): ...
            class Bad(Exception):
                def explain(self): ...
            class Worse:
                def explain(self): ...
            def narrowed(x):
                if isinstance(x, A): x.act()
            def either(x):
                if isinstance(x, (A, B)): x.act()
            def caught():
                try: fail()
                except Bad as error: error.explain()
            def fail(): raise Bad
            def one():
                B()
                narrowed(A())
            def two(): either([A(), B()])
            def three():
                Worse()
                caught()
        """,
        """
        one -> A.act
        one -/> B.act
        two -> A.act, B.act
        three -> Bad.explain
        three -/> Worse.explain
        """,
    ),
    "decorators: their own code, and what they wrap": (
        """
        main.py
            import functools
            def logged(function):
                @functools.wraps(function)
                def wrapper(*a): return function(*a)
                return wrapper
            def repeat(times):
                def decorate(function): return function
                return decorate
            def unused(function): return function
            @logged
            def work(): inner()
            @repeat(3)
            def more(): inner()
            def inner(): ...
            def run(): work()
            def again(): more()
        """,
        """
        run -> work, inner, logged, logged.wrapper
        run -/> unused, repeat, more
        again -> more, inner, repeat
        again -/> unused, logged, work
        """,
    ),
    "registries: a table of functions, a decorator that registers": (
        """
        table.py
            def one(): ...
            def two(): ...
            def apart(): ...
            TABLE = {"one": one, "two": two}
            OTHER = {"apart": apart}
        hooks.py
            HOOKS = []
            def hook(function):
                HOOKS.append(function)
                return function
            @hook
            def registered(): ...
            def not_registered(): ...
            def fire():
                for one in HOOKS: one()
        main.py
            from table import TABLE
            import table
            from hooks import fire
            def run(name): TABLE[name]()
            def other(name): table.OTHER[name]()
            def event(): fire()
        """,
        """
        run -> one, two
        run -/> apart
        other -> apart
        other -/> one, two
        event -> fire
        event -/> not_registered
        """,
    ),
    "functions and classes that are handed over": (
        """
        main.py
            import functools
            import threading
            class Job:
                def __init__(self): prepare()
                def run(self): ...
            class Idle:
                def __init__(self): rest()
            def prepare(): ...
            def rest(): ...
            def task(): ...
            def other(): ...
            def call(function): function()
            def make(kind): kind()
            def hands(): call(task)
            def partial(): functools.partial(task, 1)()
            def thread(): threading.Thread(target=task).start()
            def key(): sorted([], key=task)
            def by_lambda(): call(lambda: task())
            def method(): call(Job().run)
            def kind(): make(Job)
        """,
        """
        hands -> call, task
        hands -/> other
        partial -> task
        partial -/> other
        thread -> task
        thread -/> other
        key -> task
        key -/> other
        by_lambda -> task
        by_lambda -/> other
        method -> Job.run
        method -/> other
        kind -> prepare
        kind -/> rest
        """,
    ),
    "enums": (
        """
        main.py
            from enum import Enum
            class Color(Enum):
                RED = 1
                def shown(self): return paint()
            class Size(Enum):
                BIG = 1
                def shown(self): return grow()
            def paint(): ...
            def grow(): ...
            def one(): Color.RED.shown()
            def each():
                for color in Color: color.shown()
        """,
        """
        one -> Color.shown, paint
        one -/> Size.shown, grow
        each -> paint
        each -/> grow
        """,
    ),
    "getattr, by a name and by how a name begins": (
        """
        main.py
            class Visitor:
                def visit(self, node): return getattr(self, f"visit_{node}")()
                def visit_name(self): ...
                def visit_call(self): ...
                def leave_name(self): ...
            class Exact:
                def go(self): getattr(self, "stop")()
                def stop(self): ...
                def start(self): ...
            def walk(): Visitor().visit(1)
            def exact(): Exact().go()
        """,
        """
        walk -> Visitor.visit_name, Visitor.visit_call
        walk -/> Visitor.leave_name, Exact.stop
        exact -> Exact.stop
        exact -/> Exact.start, Visitor.visit_name
        """,
    ),
    "texts that name a module or something in it": (
        """
        app/__init__.py
        app/views.py
            def index(): ...
            def other(): ...
        app/middleware.py
            class Gate:
                def __init__(self): opened()
            def opened(): ...
        settings.py
            ENTRY = "app.views:index"
            CHAIN = ["app.middleware.Gate"]
            PLAIN = "just words, no.module"
        main.py
            import settings
            from settings import CHAIN
            def run(): return settings.ENTRY
            def gates(): return CHAIN
            def plain(): return settings.PLAIN
        """,
        """
        run -> app/views.py:index
        run -/> app/views.py:other, opened
        gates -> opened
        gates -/> app/views.py:index
        plain -/> app/views.py:index, opened
        """,
    ),
    "a base from outside calls back what a class defines": (
        """
        main.py
            import ast
            from outside import Command
            class Finder(ast.NodeVisitor):
                def visit_Name(self, node): found()
                def helper(self): ...
            class Do(Command):
                def execute(self): done()
            class Plain:
                def execute(self): missed()
            def found(): ...
            def done(): ...
            def missed(): ...
            def find(tree): Finder().visit(tree)
            def do(): Do().main()
            def plain(): Plain()
        """,
        """
        find -> found
        find -/> done, missed
        do -> done
        do -/> found, missed
        plain -/> missed
        """,
    ),
    "an instance that is handed to the outside": (
        """
        main.py
            import json
            import outside
            class Shown:
                def render(self): drawn()
                def __repr__(self): return ""
            class Kept:
                def render(self): hidden()
            def drawn(): ...
            def hidden(): ...
            def show(): outside.show(Shown())
            def keep(): Kept()
        """,
        """
        show -> drawn
        show -/> hidden
        keep -/> hidden, drawn
        """,
    ),
    "a receiver that is not known reaches all of that name, where they can live": (
        """
        main.py
            class A:
                def explode(self): ...
            class B:
                def explode(self): ...
                def other(self): ...
            def any_of(x): x.explode()
            def with_a():
                A()
                any_of(0)
            def with_none(): any_of(0)
            def with_b():
                y = unknown()
                B()
                y.explode()
        """,
        """
        with_a -> A.explode
        with_a -/> B.explode
        with_none -/> A.explode, B.explode
        with_b -> B.explode
        with_b -/> A.explode, B.other
        """,
    ),
    "special methods answer to the language": (
        """
        main.py
            class Money:
                def __add__(self, other): return summed()
                def __iter__(self): return walked()
                def __call__(self): return called()
                def __len__(self): ...
            class Coin:
                def __add__(self, other): return minted()
            def summed(): ...
            def walked(): ...
            def called(): ...
            def minted(): ...
            def add(): return Money() + 1
            def each():
                for x in Money(): pass
            def call(): Money()()
            def coin(): return 1
        """,
        """
        add -> summed
        add -/> minted
        each -> walked
        each -/> minted
        call -> called
        call -/> minted
        coin -/> summed, minted
        """,
    ),
    "generators and coroutines give what they yield and return": (
        """
        main.py
            class A:
                def act(self): ...
            class B:
                def act(self): ...
            def each():
                yield A()
            def through():
                yield from each()
            async def fetch(): return A()
            def loop():
                B()
                for x in each(): x.act()
            def deep():
                B()
                for x in through(): x.act()
            async def wait():
                B()
                x = await fetch()
                x.act()
            def first():
                B()
                next(each()).act()
        """,
        """
        loop -> A.act
        loop -/> B.act
        deep -> A.act
        deep -/> B.act
        wait -> A.act
        wait -/> B.act
        first -> A.act
        first -/> B.act
        """,
    ),
    "class bodies, nested classes and functions": (
        """
        main.py
            def at_class(): return 1
            class Outer:
                value = at_class()
                class Inner:
                    def act(self): ...
                def use(self): return self.Inner().act()
            def far():
                class Local:
                    def act(self): near()
                return Local()
            def near(): ...
            def run(): Outer().use()
            def local(): far().act()
        """,
        """
        run -> Outer.Inner.act
        run -/> near
        local -> far.Local.act, near
        local -/> Outer.Inner.act
        """,
    ),
    "module attributes on demand": (
        """
        pkg/__init__.py
            def __getattr__(name): return lookup(name)
            def lookup(name):
                from . import deep
                return deep.Thing()
        pkg/deep.py
            class Thing:
                def act(self): ...
            class Other:
                def act(self): ...
        main.py
            import pkg
            def run(): pkg.whatever.act()
        """,
        """
        run -> pkg/deep.py:Thing.act
        run -/> Other.act
        """,
    ),
}

TESTS: dict[str, tuple[str, str]] = {
    "fixtures of a module, of conftest files near and far, and their fixtures": (
        """
        app.py
            def near(): ...
            def far(): ...
            def module(): ...
            def unused(): ...
            def base(): ...
            def after(): ...
        conftest.py
            import pytest, app
            @pytest.fixture
            def thing(): return app.far()
            @pytest.fixture
            def only_far(): app.base()
        tests/conftest.py
            import pytest, app
            @pytest.fixture
            def thing(): return app.near()
            @pytest.fixture
            def chained(only_far):
                yield 1
                app.after()
            @pytest.fixture
            def idle(): app.unused()
        tests/test_a.py
            import pytest, app
            @pytest.fixture
            def local(): app.module()
            def test_near(thing): ...
            def test_local(local): ...
            def test_chained(chained): ...
            def test_without(): ...
        test_b.py
            def test_far(thing): ...
        other/conftest.py
            import pytest, app
            @pytest.fixture
            def thing(): return app.unused()
        """,
        """
        test_near -> near
        test_near -/> far, unused
        test_local -> module
        test_local -/> near
        test_chained -> base, after
        test_chained -/> far, unused
        test_without -/> near, module, base
        test_far -> far
        test_far -/> near, unused
        """,
    ),
    "fixtures that run by themselves": (
        """
        app.py
            def everywhere(): ...
            def in_class(): ...
            def in_module(): ...
        tests/conftest.py
            import pytest, app
            @pytest.fixture(autouse=True)
            def always(): app.everywhere()
        tests/test_a.py
            import pytest, app
            class TestOne:
                @pytest.fixture(autouse=True)
                def around(self): app.in_class()
                def test_in(self): ...
            def test_free(): ...
        tests/test_b.py
            import pytest, app
            @pytest.fixture(autouse=True)
            def here(): app.in_module()
            def test_module(): ...
        test_above.py
            def test_above(): ...
        """,
        """
        TestOne.test_in -> everywhere, in_class
        TestOne.test_in -/> in_module
        test_free -> everywhere
        test_free -/> in_class, in_module
        test_module -> everywhere, in_module
        test_module -/> in_class
        test_above -/> everywhere
        """,
    ),
    "a fixture that overrides one of its own name": (
        """
        app.py
            def outer(): ...
            def inner(): ...
            def nearest(): ...
        conftest.py
            import pytest, app
            @pytest.fixture
            def thing(): return app.outer()
        tests/conftest.py
            import pytest, app
            @pytest.fixture
            def thing(thing):
                app.inner()
                return thing
        tests/test_a.py
            import pytest, app
            def test_module(thing): ...
            class TestOne:
                @pytest.fixture
                def thing(self): app.nearest()
                def test_class(self, thing): ...
        """,
        """
        test_module -> inner, outer
        test_module -/> nearest
        TestOne.test_class -> nearest
        TestOne.test_class -/> inner, outer
        """,
    ),
    "fixtures by another name, imported, named by usefixtures": (
        """
        app.py
            def named(): ...
            def shared(): ...
            def used(): ...
            def idle(): ...
        fixtures.py
            import pytest, app
            @pytest.fixture(name="alias")
            def long_name(): app.named()
            @pytest.fixture
            def common(): app.shared()
            @pytest.fixture
            def silent(): app.used()
            @pytest.fixture
            def never(): app.idle()
        conftest.py
            from fixtures import *
        test_a.py
            import pytest
            def test_alias(alias): ...
            def test_common(common): ...
            @pytest.mark.usefixtures("silent")
            def test_used(): ...
            @pytest.mark.usefixtures("silent")
            class TestUsed:
                def test_in(self): ...
        """,
        """
        test_alias -> named
        test_alias -/> shared, idle
        test_common -> shared
        test_common -/> named, idle
        test_used -> used
        test_used -/> shared, idle
        TestUsed.test_in -> used
        TestUsed.test_in -/> shared, idle
        """,
    ),
    "what a fixture gives is what the parameter means": (
        """
        app.py
            class Client:
                def get(self): ...
            class Server:
                def get(self): ...
        conftest.py
            import pytest
            from app import Client, Server
            @pytest.fixture
            def client():
                yield Client()
            @pytest.fixture
            def server(): return Server()
        test_a.py
            def test_client(client, server): client.get()
            def test_server(client, server): server.get()
        """,
        """
        test_client -> Client.get
        test_client -/> Server.get
        test_server -> Server.get
        test_server -/> Client.get
        """,
    ),
    "inherited tests, and what is set up for them": (
        """
        app.py
            def opened(): ...
            def once(): ...
            def checked(): ...
            def lonely(): ...
        shared.py
            import app
            class Shared:
                kind = None
                def test_shared(self): self.make().check()
                def make(self): raise NotImplementedError
        tests/test_a.py
            import unittest, app
            from shared import Shared
            class One:
                def check(self): app.checked()
            class Two:
                def check(self): app.lonely()
            class TestOne(Shared):
                def make(self): return One()
            class TestTwo(Shared):
                def make(self): return Two()
            class Old(unittest.TestCase):
                def setUp(self): app.opened()
                @classmethod
                def setUpClass(cls): app.once()
                def test_old(self): ...
            def test_free(): ...
        """,
        """
        tests/test_a.py:TestOne.test_shared -> Shared.test_shared, checked
        tests/test_a.py:TestOne.test_shared -/> lonely, opened
        tests/test_a.py:TestTwo.test_shared -> lonely
        tests/test_a.py:TestTwo.test_shared -/> checked
        Old.test_old -> opened, once
        Old.test_old -/> checked
        test_free -/> opened, once, checked
        """,
    ),
    "set-up of the module": (
        """
        app.py
            def prepared(): ...
        test_a.py
            import app
            def setup_module(): app.prepared()
            def test_a(): ...
        test_b.py
            def test_b(): ...
        """,
        """
        test_a -> prepared
        test_b -/> prepared
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_who_can_execute_whom(name: str) -> None:
    verify(*CASES[name])


@pytest.mark.parametrize("name", TESTS)
def test_what_runs_for_a_test(name: str) -> None:
    verify(*TESTS[name])


def test_what_is_a_test() -> None:
    graph = linked(
        """
        tests/test_a.py
            import unittest
            def test_one(): ...
            def attest(): ...
            def helper():
                def test_inner(): ...
            class TestTwo:
                def test_in(self): ...
                def other(self): ...
            class Old(unittest.TestCase):
                def test_old(self): ...
        app.py
            def test_like(): ...
        check_test.py
            def test_end(): ...
        """
    )
    names = {graph.nodes[number]: graph.nodes[owner] if owner >= 0 else "" for number, owner in graph.tests.items()}
    assert names == {
        "tests/test_a.py:test_one": "",
        "tests/test_a.py:TestTwo.test_in": "tests/test_a.py:TestTwo",
        "tests/test_a.py:Old.test_old": "tests/test_a.py:Old",
        "check_test.py:test_end": "",
    }


def test_every_claim_can_fail() -> None:
    text = "a.py\n    def f(): g()\n    def g(): ...\n    def h(): ..."
    verify(text, "f -> g\nf -/> h")
    for wrong in ("f -> h", "f -/> g"):
        with pytest.raises(AssertionError):
            verify(text, wrong)


def test_hundreds_of_alternatives_and_deep_chains_end() -> None:
    many = "\n".join(
        f"    class C{n}(C{n - 1}):\n        def act(self): return self.next().act()" for n in range(1, 120)
    )
    text = "a.py\n    class C0:\n        def act(self): ...\n        def next(self): return self\n" + many
    deep = "b.py\n" + "\n".join(f"    def f{n}(): return f{n + 1}()" for n in range(300)) + "\n    def f300(): ..."
    runs = Runs(linked(f"{text}\n{deep}\nm.py\n    from a import C119\n    def run(): C119().act()"))
    assert "a.py:C119.act" in runs.of("run")
    assert "b.py:f300" in runs.of("f0")
    assert "b.py:f0" not in runs.of("f1")


def test_a_drawing_is_read_as_it_looks() -> None:
    assert drawn("a.py\n    def f():\n        return 1\nb/__init__.py\n    x = 1") == {
        "a.py": "def f():\n    return 1\n",
        "b/__init__.py": "x = 1\n",
    }
