"""Small projects in languages besides Python, and who can execute whom in them: the right path, and a wrong one."""

from __future__ import annotations

import pytest

from tests.reach.drawn import TextIndex, drawn, head_of, linked, verify

GO: dict[str, tuple[str, str]] = {
    "methods in another file than their type": (
        """
        go.mod
            module example.com/shop
        store.go
            package shop
            type Store struct { items []Item }
            type Item struct{}
            func New() *Store { return &Store{} }
        sell.go
            package shop
            func (s *Store) Sell() { s.first().Wrap() }
            func (s *Store) first() Item { return s.items[0] }
        wrap.go
            package shop
            func (i Item) Wrap() {}
            func (i Item) Drop() {}
        other/other.go
            package other
            type Item struct{}
            func (i Item) Wrap() {}
        cmd/main.go
            package main
            import "example.com/shop"
            func main() { shop.New().Sell() }
        """,
        """
        main -> Store.Sell, Store.first, wrap.go:Item.Wrap
        main -/> Item.Drop, other/other.go:Item.Wrap
        """,
    ),
    "interfaces are fitted by shape": (
        """
        a.go
            package a
            type Speaker interface { Speak() string; Stop() }
            func Let(s Speaker) { s.Speak() }
        b.go
            package a
            type Dog struct{}
            type Stone struct{}
            type Half struct{}
            func (d *Dog) Stop() {}
            func (h Half) Speak() string { return "" }
            func one() { Let(&Dog{}); _ = Half{} }
        c.go
            package a
            func (d *Dog) Speak() string { return "" }
            func (s Stone) Speak() string { return "" }
            func (s Stone) Stop() {}
        """,
        """
        one -> c.go:Dog.Speak
        one -/> Stone.Speak, Half.Speak, b.go:Dog.Stop
        """,
    ),
    "embedded types and fields that hold values": (
        """
        a.go
            package a
            type Base struct{}
            func (b Base) Hello() {}
            func (b Base) Bye() {}
            type Part struct{}
            func (p *Part) Work() {}
            type Whole struct {
                Base
                part Part
            }
            func run() {
                var w Whole
                w.Hello()
                w.part.Work()
            }
        """,
        """
        run -> Base.Hello, Part.Work
        run -/> Base.Bye
        """,
    ),
    "named types of functions and lists": (
        """
        a.go
            package a
            type Step func(n int) Result
            type Steps []Step
            type Result struct{}
            func (r Result) Ok() {}
            func (r Result) Bad() {}
            func (s Step) Name() {}
            func (s Steps) Len() int { return 0 }
            func all(steps Steps) {
                steps[0](1).Ok()
                for _, step := range steps { step.Name() }
            }
        """,
        """
        all -> Result.Ok, Step.Name
        all -/> Result.Bad, Steps.Len
        """,
    ),
    "init runs when the package is loaded, a field may be called as its type is": (
        """
        a.go
            package a
            type Value interface { Set() }
            type Flag struct { Value Value }
            type text struct{}
            func (t *text) Set() {}
            func init() { register() }
            func register() {}
            func set(f Flag) { f.Value.Set(); _ = &text{} }
            func never() {}
        """,
        """
        a.go: -> init, register
        a.go: -/> never
        set -> text.Set
        set -/> register
        """,
    ),
    "a local name may hide the type that it is made of; a package may have its own min": (
        """
        a.go
            package a
            type node struct{}
            func (n *node) add() { min(1, 2) }
            func (n *node) drop() {}
            func run() {
                node := &node{}
                node.add()
            }
        b.go
            package a
            func min(a, b int) int { return a }
        """,
        """
        run -> node.add, min
        run -/> node.drop
        """,
    ),
    "what the standard library calls on what it is handed": (
        """
        go.mod
            module example.com/a
        a.go
            package a
            import (
                "fmt"
                "example.org/wire"
            )
            type Box struct{}
            func (b Box) String() string { return "" }
            func (b Box) Open() {}
            func (b Box) Weigh() {}
            func show() { fmt.Println(Box{}) }
            func ship() { wire.Provide(Box{}) }
        """,
        """
        show -> Box.String
        show -/> Box.Weigh
        ship -> Box.String, Box.Weigh
        """,
    ),
}

JAVA: dict[str, tuple[str, str]] = {
    "a package, constructors, interfaces with default methods": (
        """
        src/main/java/shop/Shop.java
            package shop;
            class Shop extends Base implements Seller {
              private final Till till;
              Shop(Till till) { this.till = till; }
              public void sell() { till.take(); bow(); tidy(); }
              static Shop open() { return new Shop(new Till()); }
            }
        src/main/java/shop/Base.java
            package shop;
            class Base { void tidy() { } void burn() { } }
        src/main/java/shop/Seller.java
            package shop;
            interface Seller { void sell(); default void bow() { } }
        src/main/java/shop/Till.java
            package shop;
            class Till { Till() { count(); } void take() { } void count() { } void lock() { } }
        src/main/java/other/Till.java
            package other;
            public class Till { public void take() { } }
        src/main/java/app/Main.java
            package app;
            import shop.Shop;
            import other.Till;
            class Main { static void main(String[] a) { Shop.open().sell(); } }
        """,
        """
        Main.main -> Shop.open, Shop.<init>, Shop.sell, Seller.bow, Base.tidy, src/main/java/shop/Till.java:Till.take
        Main.main -> Till.count
        Main.main -/> Till.lock, Base.burn, src/main/java/other/Till.java:Till.take
        """,
    ),
    "an interface from elsewhere, anonymous and inner classes": (
        """
        a/Job.java
            package a;
            public interface Job { void run(); }
        a/Pool.java
            package a;
            public class Pool { public void go(Job job) { job.run(); } }
        b/Main.java
            package b;
            import a.Job;
            import a.Pool;
            class Main {
              static void quick() { new Pool().go(new Job() { public void run() { ping(); } }); }
              static void slow() { new Pool().go(new Inner()); }
              static void ping() { }
              static class Inner implements Job { public void run() { } }
            }
        """,
        """
        Main.quick -> Main.ping, Pool.go
        Main.quick -/> Main.Inner.run
        Main.slow -> Main.Inner.run
        Main.slow -/> Main.ping
        """,
    ),
    "names of other files are not what these import": (
        """
        p/A.java
            package p;
            import q.Tool;
            class A { Tool t; void a() { t.use(); } }
        p/B.java
            package p;
            class B { void b(Tool t) { t.use(); } }
        p/Tool.java
            package p;
            class Tool { void use() { } }
        q/Tool.java
            package q;
            public class Tool { public void use() { } }
        """,
        """
        A.a -/> p/Tool.java:Tool.use
        B.b -/> q/Tool.java:Tool.use
        """,
    ),
    "a class below one from outside still sees the names of its package": (
        """
        p/View.java
            package p;
            import android.app.Activity;
            class View extends Activity { void show() { new Drawer().draw(); Pen.dip(); } void hide() { } }
        p/Drawer.java
            package p;
            class Drawer { void draw() { } void rub() { } }
        p/Pen.java
            package p;
            class Pen { static void dip() { } }
        """,
        """
        View.show -> Drawer.draw, Pen.dip
        View.show -/> Drawer.rub, View.hide
        """,
    ),
    "tests of a base run for the classes below it": (
        """
        src/main/java/p/Box.java
            package p;
            class Box { void open() { } void close() { } }
            class Crate extends Box { void open() { } }
        src/test/java/p/BoxCase.java
            package p;
            import org.junit.jupiter.api.BeforeEach;
            import org.junit.jupiter.api.Test;
            abstract class BoxCase {
              Box box;
              abstract Box make();
              @BeforeEach void setUp() { box = make(); }
              @Test void opens() { box.open(); }
            }
        src/test/java/p/CrateTest.java
            package p;
            class CrateTest extends BoxCase { Box make() { return new Crate(); } }
        src/test/java/p/PlainTest.java
            package p;
            class PlainTest extends BoxCase { Box make() { return new Box(); } }
        """,
        """
        CrateTest.opens -> Crate.open, CrateTest.make, BoxCase.setUp
        CrateTest.opens -/> PlainTest.make, Box.close
        PlainTest.opens -> Box.open, PlainTest.make
        PlainTest.opens -/> Crate.open
        """,
    ),
    "a base from outside calls back what overrides it": (
        """
        p/Worker.java
            package p;
            class Worker extends Thread {
              @Override public void run() { dig(); }
              void dig() { }
              void rest() { }
            }
            class Main { static void main() { new Worker().start(); } }
        """,
        """
        Main.main -> Worker.run, Worker.dig
        Main.main -/> Worker.rest
        """,
    ),
}

KOTLIN: dict[str, tuple[str, str]] = {
    "a package with Java, extensions, objects, properties": (
        """
        src/main/kotlin/shop/Shop.kt
            package shop
            class Shop(private val till: Till) {
                val open: Boolean get() = till.ready()
                fun sell() { till.take(); log("x") }
                companion object { fun make(): Shop = Shop(Till()) }
            }
            object Log { fun write() {} }
            fun log(text: String) { Log.write() }
        src/main/kotlin/shop/More.kt
            package shop
            fun Shop.close() { sell() }
            fun Shop.burn() {}
        src/main/java/shop/Till.java
            package shop;
            public class Till { public void take() { } public boolean ready() { return true; } public void lock() { } }
        src/main/kotlin/app/Main.kt
            package app
            import shop.Shop
            import shop.close
            fun main() { Shop.make().close() }
            fun look() { if (Shop.make().open) print("x") }
        """,
        """
        main -> Shop.sell, Till.take, Log.write, log
        main -/> Till.lock, Till.ready
        look -> Till.ready
        look -/> Shop.sell
        """,
    ),
}

KOTLIN["a constructor on a line of its own, names between backticks"] = (
    """
    Reader.kt
        package p
        abstract class Reader {
          abstract fun peek(): Int
          class Options
          private constructor(
            internal val strings: Array<out String>,
          ) {
            fun strings() = 1
          }
          companion object { fun of(): Reader { return `-Utf8`(1) } }
        }
    Utf8.kt
        package p
        internal class `-Utf8` : Reader { constructor(x: Int) { init() }
          override fun peek(): Int = 1
          fun init() {}
          fun skip() {}
        }
    Main.kt
        package p
        fun main() { Reader.of().peek() }
    """,
    """
    main -> -Utf8.peek, -Utf8.init
    main -/> -Utf8.skip, Reader.Options.strings
    """,
)

JAVASCRIPT: dict[str, tuple[str, str]] = {
    "modules: default, named, renamed, re-exported, required": (
        """
        package.json
            {"name": "shop"}
        src/core.ts
            export default function main() { helper() }
            function helper() {}
            export function sell() {}
            export const keep = () => {}
        src/index.ts
            export { sell as trade } from './core'
            export * as core from './core'
            export * from './more'
        src/more.ts
            export function more() {}
        src/use.ts
            import run, { keep as hold } from './core'
            import { trade, more, core } from '.'
            export function a() { run() }
            export function b() { hold() }
            export function c() { trade() }
            export function d() { more() }
            export function e() { core.sell() }
        old/lib.js
            exports.first = function () { second() }
            function second() {}
            module.exports.third = () => {}
        old/use.js
            const lib = require('./lib')
            const { third } = require('./lib')
            function f() { lib.first() }
            function g() { third() }
        """,
        """
        a -> main, helper
        a -/> sell, keep
        b -> keep
        b -/> sell
        c -> sell
        c -/> keep, more
        d -> more
        d -/> sell
        e -> sell
        e -/> main
        f -> first, second
        f -/> third
        g -> third
        g -/> first
        """,
    ),
    "objects, prototypes, private names, tables of functions": (
        """
        a.js
            export const api = {
              get() { return this.send() },
              send() {},
              drop() {},
            }
            export function Old() {}
            Old.prototype.work = function () { this.rest() }
            Old.prototype.rest = function () {}
            Old.prototype.quit = function () {}
            export class New {
              #secret() { return 1 }
              open(other) { return other.#secret() }
              shut() {}
            }
            const table = { add: function add() {}, sub: function sub() {} }
            export function by(name) { return table[name]() }
        b.js
            import { api, Old, New } from './a.js'
            export function one() { api.get() }
            export function two() { new Old().work() }
            export function three() { new New().open(new New()) }
        """,
        """
        one -> api.get, api.send
        one -/> api.drop
        two -> Old.work, Old.rest
        two -/> Old.quit
        three -> New.#secret
        three -/> New.shut
        by -> table.add, table.sub
        by -/> api.drop
        """,
    ),
    "objects that are no classes: by name alone, in the middle of a chain, by writing; members by computed names": (
        """
        response.js
            module.exports = {
              send() { this.finish() },
              finish() {},
              drop() {},
              get query() { return parse() },
              set body(value) { check(value) },
              get other() { return never() },
            }
            function parse() {}
            function check() {}
            function never() {}
        route.js
            function Route() {}
            Route.prototype.get = function () { match() }
            Route.prototype.all = function () {}
            function match() {}
            function dispatch(method) { return new Route()[method]() }
            function fixed() { return new Route().all() }
        proto.js
            const proto = {}
            function a(res) { res.send() }
            function b() { return proto.query.page }
            function c(res) { res.body = 'text' }
        """,
        """
        a -> default.send, default.finish
        a -/> default.drop
        b -> default.query, parse
        b -/> check
        c -> default.body, check
        c -/> parse, never
        dispatch -> Route.get, Route.all, match
        fixed -> Route.all
        fixed -/> Route.get
        """,
    ),
    "scripts that a text names are run": (
        """
        start.js
            function start() { fork(join(__dirname, './jobs/sweep')) }
            function other() { fork('jobs/nowhere.js') }
        jobs/sweep.js
            tidy()
            function tidy() {}
            function rest() {}
        """,
        """
        start -> tidy
        start -/> rest
        other -/> tidy
        """,
    ),
    "interfaces, by name and by shape; getters behind a field": (
        """
        a.ts
            export interface Router { add(path: string): void; match(): string }
            export interface Event { readonly url: string }
        b.ts
            import type { Router, Event } from './a'
            export class Fast implements Router { add(path: string) {} match() { return '' } }
            export class Slow { add(path: string) {} match() { return '' } }
            export class Half { add(path: string) {} }
            export class Real implements Event { get url() { return parse() } get path() { return split() } }
            function parse() { return '' }
            function split() { return '' }
        c.ts
            import { Fast, Slow, Half, Real } from './b'
            import type { Router, Event } from './a'
            function use(router: Router) { router.add('/') }
            function look(event: Event) { return event.url }
            export function fast() { use(new Fast()) }
            export function slow() { use(new Slow()) }
            export function half() { use(new Half() as any) }
            export function real() { return look(new Real()) }
        """,
        """
        fast -> Fast.add
        fast -/> Slow.add, Fast.match
        slow -> Slow.add
        slow -/> Fast.add
        half -/> Half.add
        real -> parse
        real -/> split
        """,
    ),
    "an alias in a module runs nothing, a field is no name": (
        """
        a.ts
            export function now() {}
            export function match() {}
            export const later = now
            export class Router { match = match }
        b.ts
            import { later, Router } from './a'
            export function one() { later() }
            export function two() { new Router().match() }
        c.test.ts
            import { test } from 'vitest'
            import { Router } from './a'
            test('nothing', () => {})
        """,
        """
        one -> now
        two -> a.ts:match
        two -/> now
        nothing -/> now
        """,
    ),
    "a test loads what it imports, and runs the hooks around it": (
        """
        src/app.ts
            import { plug } from './plug'
            export const app = create()
            function create() { return plug }
            export function unused() {}
        src/plug.ts
            export function plug() {}
            connect()
            function connect() {}
        test/app.test.ts
            import { app } from '../src/app'
            import { prepare, tidy } from './setup'
            describe('app', () => {
              beforeEach(() => { prepare() })
              it('starts', () => {})
            })
            describe('other', () => {
              afterEach(() => { tidy() })
              it.skipIf(1 > 2)('stops', () => {})
            })
        test/setup.ts
            export function prepare() {}
            export function tidy() {}
        test/made.test.ts
            import { suite } from './suite'
            suite()
        test/suite.ts
            import { unused } from '../src/app'
            export function suite() { it('x', () => { unused() }) }
        """,
        """
        test/app.test.ts:app > starts -> create, connect, prepare
        test/app.test.ts:app > starts -/> tidy, unused
        test/app.test.ts:other > stops -> create, tidy
        test/app.test.ts:other > stops -/> prepare
        test/made.test.ts: -> unused
        """,
    ),
    "a property of what is not known": (
        """
        a.ts
            export class Context {
              get req() { return build() }
              get res() { return close() }
            }
            function build() { return new Request1() }
            function close() {}
            export class Request1 { param() {} }
        b.ts
            import { Context } from './a'
            export function run(handler) { handler(new Context()) }
            export function go() { run((c) => c.req.param('x')) }
        """,
        """
        go -> build, Request1.param
        go -/> close
        """,
    ),
}

RUST: dict[str, tuple[str, str]] = {
    "impl blocks elsewhere, traits with default methods": (
        """
        Cargo.toml
            [package]
            name = "shop"
        src/lib.rs
            pub mod store;
            pub mod sell;
            pub mod traits;
            use crate::store::Store;
            pub fn run() { let s = Store::new(); s.sell(); }
            pub fn idle() {}
        src/store.rs
            pub struct Store { items: Vec<Item> }
            pub struct Item;
            impl Store { pub fn new() -> Store { Store { items: vec![] } } }
            impl Item { pub fn wrap(&self) {} pub fn drop_it(&self) {} }
        src/sell.rs
            use crate::store::Store;
            use crate::traits::Greets;
            impl Store { pub fn sell(&self) { self.items[0].wrap(); self.greet(); } pub fn close(&self) {} }
            impl Greets for Store { fn name(&self) {} }
        src/traits.rs
            pub trait Greets { fn name(&self); fn greet(&self) { self.name() } fn bye(&self) {} }
        """,
        """
        run -> Store.new, Store.sell, Item.wrap, Greets.greet, src/sell.rs:Store.name
        run -/> Item.drop_it, Store.close, Greets.bye
        """,
    ),
}

RUBY: dict[str, tuple[str, str]] = {
    "an open world: reopened classes, mixins, implicit self": (
        """
        lib/shop.rb
            class Shop
              include Greets
              def sell
                wrap
                greet
              end
              def burn; end
            end
        lib/shop_more.rb
            class Shop
              def wrap; end
              def drop; end
            end
        lib/greets.rb
            module Greets
              def greet
                name_of
              end
              def name_of; end
              def bye; end
            end
        lib/main.rb
            def main
              Shop.new.sell
            end
        """,
        """
        main -> lib/shop_more.rb:Shop.wrap, Greets.greet, Greets.name_of
        main -/> Shop.burn, Shop.drop, Greets.bye
        """,
    ),
}

RUBY["groups of examples run their own examples only, cases inherit tests"] = (
    """
    lib/shop.rb
        class Shop
          def open; end
          def shut; end
        end
    test/shop_test.rb
        class BaseTest < Minitest::Test
          def test_open
            shop.open
          end
        end
        class ShopTest < BaseTest
          def shop
            Shop.new
          end
        end
    spec/shop_spec.rb
        describe Shop do
          it "opens" do
            Shop.new.open
          end
          describe "at night" do
            it "shuts" do
              Shop.new.shut
            end
          end
        end
    """,
    """
    ShopTest.test_open -> Shop.open
    ShopTest.test_open -/> Shop.shut
    """,
)

RUST["a macro that writes tests"] = (
    """
    Cargo.toml
        [package]
        name = "zoo"
    src/lib.rs
        pub fn bark() {}
        pub fn purr() {}
        #[cfg(test)]
        mod tests {
            use super::*;
            macro_rules! barks { ($name:ident, $n:expr) => { #[test] fn $name() { bark(); } }; }
            macro_rules! plain { ($name:ident) => { fn $name() { purr(); } }; }
            barks!(loudly, 1);
            plain!(softly);
        }
    """,
    """
    tests.loudly -> bark
    tests.loudly -/> purr
    """,
)

CPP: dict[str, tuple[str, str]] = {
    "a class in a header, its methods in a source, virtual methods": (
        """
        include/shop.h
            #pragma once
            class Part {
             public:
              void turn();
              void halt();
            };
            class Base {
             public:
              virtual void bow();
              void shut();
            };
            class Shop : public Base {
             public:
              void sell();
              void bow() override;
             private:
              void wrap();
              Part part_;
            };
        src/shop.cpp
            #include "shop.h"
            void Base::bow() {}
            void Base::shut() {}
            void Shop::sell() { wrap(); }
            void Shop::bow() {}
            void Shop::wrap() { part_.turn(); }
            void Part::turn() {}
            void Part::halt() {}
        src/main.cpp
            #include "shop.h"
            static void greet(Base* base) { base->bow(); }
            int main() { Shop shop; shop.sell(); greet(&shop); return 0; }
        """,
        """
        main -> src/shop.cpp:Shop.sell, src/shop.cpp:Shop.wrap, src/shop.cpp:Shop.bow, src/shop.cpp:Part.turn
        main -> include/shop.h:Shop.wrap
        main -/> src/shop.cpp:Base.shut, src/shop.cpp:Part.halt
        """,
    ),
}

RUST["a trait object, a constructor behind Self, a test in the file"] = (
    """
    Cargo.toml
        [package]
        name = "zoo"
    src/lib.rs
        mod cage;
        pub trait Animal { fn speak(&self); }
        pub struct Dog;
        pub struct Cat;
        impl Dog { pub fn new() -> Self { Self } }
        impl Animal for Dog { fn speak(&self) { bark() } }
        impl Animal for Cat { fn speak(&self) { purr() } }
        fn bark() {}
        fn purr() {}
        pub fn let_all(all: &[Box<dyn Animal>]) { for one in all { one.speak(); } }
        #[cfg(test)]
        mod tests {
            use super::*;
            #[test]
            fn dogs_bark() { let_all(&[Box::new(Dog::new())]); }
        }
    """,
    """
    tests.dogs_bark -> Dog.speak, bark
    tests.dogs_bark -/> purr, Cat.speak
    """,
)

ALL = {"C++": CPP, "Go": GO, "Java": JAVA, "Kotlin": KOTLIN, "JavaScript": JAVASCRIPT, "Rust": RUST, "Ruby": RUBY}


@pytest.mark.parametrize(("language", "name"), [(language, name) for language, cases in ALL.items() for name in cases])
def test_who_runs_whom(language: str, name: str) -> None:
    verify(*ALL[language][name])


def test_a_group_of_examples_does_not_run_those_around_it() -> None:
    text = RUBY["groups of examples run their own examples only, cases inherit tests"][0]
    graph = linked(text)
    examples = {graph.nodes[number].partition(":")[2] for number in graph.tests if "spec" in graph.nodes[number]}
    assert len(examples) == 2, examples


def test_every_kind_of_test_is_one() -> None:
    graph = linked(
        """
        a_test.go
            package a
            import "testing"
            func TestOne(t *testing.T) {}
            func helper() {}
        src/test/java/ATest.java
            class ATest { @org.junit.Test public void two() {} void helper() {} }
        a.test.js
            it('three', () => {})
            function helper() {}
        spec.rs
            #[test]
            fn four() {}
            fn helper() {}
        test/five_test.rb
            class Five < Minitest::Test
              def test_five; end
              def helper; end
            end
        """
    )
    names = sorted(graph.nodes[number].rpartition(":")[2] for number in graph.tests)
    assert names == ["ATest.two", "Five.test_five", "TestOne", "four", "three"]


BEFORE = """
    go.mod
        module example.com/a
    store.go
        package a
        type Store struct{}
        type Seller interface { Sell(); Wrap() }
        func Let(s Seller) { s.Sell() }
    sell.go
        package a
        func (s *Store) Sell() { old() }
        func old() {}
    cmd/main.go
        package main
        import "example.com/a"
        func main() { a.Let(&a.Store{}) }
    """
NEW_METHOD = """
    wrap.go
        package a
        func (s *Store) Wrap() {}
    """
OTHER_BODY = """
    sell.go
        package a
        func (s *Store) Sell() { fresh() }
        func fresh() { helper() }
    more.go
        package a
        func helper() {}
    """


SCRIPTS = """
    response.js
        module.exports = { send() {}, close() {} }
    use.js
        function use(response) { response.send(); response.drop() }
    """
NEW_MEMBER = """
    response.js
        module.exports = { send() {}, close() {}, drop() {} }
    """
NEW_USE = """
    other.js
        function other(response) { response.close() }
    """


@pytest.mark.parametrize(
    ("before", "changed"),
    [
        *((BEFORE, changed) for changed in (NEW_METHOD, OTHER_BODY, NEW_METHOD + OTHER_BODY)),
        *((SCRIPTS, changed) for changed in (NEW_MEMBER, NEW_USE, NEW_MEMBER + NEW_USE)),
    ],
)
def test_a_part_of_a_class_that_changes_is_linked_as_if_from_scratch(before: str, changed: str) -> None:
    _linked_as_if_from_scratch(drawn(before), {**drawn(before), **drawn(changed)})


def _linked_as_if_from_scratch(before: dict[str, str], after: dict[str, str]) -> None:
    head = head_of(TextIndex(before), TextIndex(after))
    names = [*head.graph.names, *head.delta.names]
    first = head.graph.first.tolist()
    known = {
        (names[int(head.graph.sources[at])], names[target])
        for target in range(len(head.graph))
        for at in range(first[target], first[target + 1])
    }
    known |= {(names[edge[0]], names[edge[1]]) for edge in head.delta.edges}
    fresh = linked(after)
    wanted = {(fresh.nodes[s], fresh.nodes[t]) for s, t in zip(fresh.sources, fresh.targets, strict=True)}
    assert wanted <= known, sorted(wanted - known)
