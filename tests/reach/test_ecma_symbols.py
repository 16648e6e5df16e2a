"""Every construct of the languages, with what is expected to be read from it."""

from __future__ import annotations

from textwrap import dedent

from tests.reach.ecma_text import bindings, definitions, read, references


def lines(table: str) -> list[str]:
    return dedent(table).strip().split("\n")


TYPESCRIPT = """
    import { Controller, Get, Inject } from '@nestjs/common';
    import type { Cat } from './cat';
    import * as util from './util';
    import defaultExport, { CatsService as Service } from './cats.service';

    export * from './dto';
    export * as errors from './errors';
    export { helper as assist } from './helper';

    export interface Repo<T extends Cat> extends Base<T> {
      items: Map<string, T>;
      find(id: string): Promise<T>;
      onChange: (cat: T) => void;
    }
    export type Animal = Cat | Dog & { name: string; speak(): void };
    export enum Color { Red = 1, Green }
    export namespace Tools.Deep { export function sharpen(x: Cat): Cat[] { return [x]; } }
    declare function ambient(x: number): string;

    export abstract class Shelter extends mixin(Base, Named) implements Repo<Cat> {}

    @Controller({ path: 'cats', version: '1' })
    export class CatsController extends Shelter {
      static readonly LIMIT: number = 10;
      #secret = new Vault();
      protected cache?: Record<string, Cat>;
      handler = async (cat: Cat) => this.#secret.open(cat);
      @Inject(TOKEN) declare later: util.Clock;

      constructor(private readonly service: Service, @Inject('x') public size = 3, ...rest: string[]) {
        super(rest);
      }

      @Get(':id')
      async one(@Param('id') id: string): Promise<Cat> {
        const { name, owner: { home } } = await this.service.find(id);
        return this.service!.load?.(id)?.[0] as Cat;
      }

      get total(): number { return this.cache.size; }
      static make(): CatsController { return new this(); }
      find(id: string): Promise<Cat>;
      find(id: any) { return super.find(id); }
      abstract gone(): void;
    }

    export default function (cat: Cat, { loud = false }: Options = {}): asserts cat is Cat {
      if (cat instanceof Lion) cat.roar();
      for (const [key, value] of Object.entries(cat.parts)) value.check(key);
    }
    const wrapped = memo((cat: Cat) => cat.name);
    const shaped = { run() { return this.go(); }, go: () => 1, deep: { er: function () {} }, n: 1 } satisfies Shape;
    let maybe = cond ? new Foo() : makeBar();
    const one = <Foo>unknownThing, two = (x as unknown as Bar)!;
    """


def test_definitions_typescript() -> None:
    assert definitions(read(TYPESCRIPT, ".ts")) == lines("""
    Repo interface 10-14 +exported < Base
    Repo.find method 12 +abstract (id: %str) -> T!
    Repo.onChange method 13 +abstract (cat: T!)
    Animal type 15 +exported < Cat, Dog
    Animal.speak method 15 +abstract
    Color class 16 +exported
    Color.Red constant 16
    Color.Green constant 16
    Tools variable 17 +exported
    Tools.Deep variable 17
    Tools.Deep.sharpen method 17 +exported (x: Cat!) -> Cat!*, x*
    ambient function 18 +overload (x: %int) -> %str
    Shelter class 20 +abstract +exported < mixin(), Base, Named, Repo
    CatsController class 22-45 +exported @Controller() < Shelter
    CatsController.LIMIT constant 24 +static
    CatsController.#secret variable 25 private
    CatsController.cache variable 26 private
    CatsController.handler method 27 +async (cat: Cat!) -> self.#secret.open()
    CatsController.later variable 28 @Inject()
    CatsController.constructor method 30-32 (service: Service!, size = %int, *rest: %str)
    CatsController.one method 34-38 +async @Get() (id: %str) -> Cat!, self.service.load()[]
    CatsController.total property 40 +property -> %int, self.cache.size
    CatsController.make method 41 +static -> CatsController!, cls()
    CatsController.find method 42 +overload (id: %str) -> Cat!
    CatsController.find method 43 (id) -> super.find()
    CatsController.gone method 44 +abstract
    default function 47-50 +exported (cat: Cat!, arg1: Options! = %dict)
    wrapped function 51 @memo() (cat: Cat!) -> cat.name
    shaped variable 52
    shaped.run method 52 -> shaped.go()
    shaped.go method 52 -> %int
    shaped.deep variable 52
    shaped.deep.er method 52
    maybe variable 53
    one constant 54
    two constant 54
    """)


def test_bindings_typescript() -> None:
    assert bindings(read(TYPESCRIPT, ".ts")) == lines("""
    module: Controller = <@nestjs/common>.Controller (import)
    module: Get = <@nestjs/common>.Get (import)
    module: Inject = <@nestjs/common>.Inject (import)
    module: Cat = <./cat>.Cat (import)
    module: util = <./util> (import)
    module: defaultExport = <./cats.service>.default (import)
    module: Service = <./cats.service>.CatsService (import)
    module: * = <./dto>.* (import)
    module: errors = <./errors> (import)
    module: assist = <./helper>.helper (import)
    Repo: T = Cat (annotation)
    Repo: items = T!* (annotation)
    Animal: name = %str (annotation)
    CatsController: LIMIT = %int (assign)
    CatsController: LIMIT = %int (annotation)
    CatsController: #secret = Vault() (assign)
    CatsController: cache = Cat!* (annotation)
    CatsController: later = util.Clock! (annotation)
    CatsController: service = Service! (annotation) in CatsController.constructor
    CatsController: size = size (assign) in CatsController.constructor
    CatsController.one: name = self.service.find().name (assign)
    CatsController.one: home = self.service.find().owner.home (assign)
    default: loud = arg1.loud (assign)
    default: loud = %bool (assign)
    default: cat = Lion! (narrow)
    default: key = cat.parts[]**[][] (assign)
    default: value = cat.parts[]**[][] (assign)
    default: value = cat.parts[]**[] (assign)
    shaped: n = %int (assign) in module
    module: maybe = Foo() (assign)
    module: maybe = makeBar() (assign)
    module: one = Foo! (assign)
    module: one = unknownThing (assign)
    module: two = Bar! (assign)
    module: two = x (assign)
    """)


def test_references_typescript() -> None:
    assert references(read(TYPESCRIPT, ".ts")) == lines("""
    module: import <@nestjs/common>.Controller
    module: import <@nestjs/common>.Get
    module: import <@nestjs/common>.Inject
    module: import <./cat>.Cat
    module: import <./util>
    module: import <./cats.service>.default
    module: import <./cats.service>.CatsService
    module: import <./dto>
    module: import <./errors>
    module: import <./helper>.helper
    Repo: type Cat
    Repo: inherit Base
    Animal: type Cat
    Tools.Deep.sharpen: type Cat
    Shelter: inherit Base
    Shelter: inherit Named
    Shelter: call mixin (Base, Named)
    Shelter: inherit Repo
    Shelter: type Cat
    CatsController: decorate Controller (path="cats", version="1")
    CatsController: read Shelter
    CatsController: inherit Shelter
    CatsController: call Vault
    CatsController: type Cat
    CatsController.handler: type Cat
    CatsController: type util.Clock
    CatsController.later: decorate Inject (TOKEN)
    CatsController.constructor: type Service
    CatsController.constructor: decorate Inject ("x")
    CatsController.one: decorate Param ("id")
    CatsController.one: type Cat
    CatsController.one: decorate Get (":id")
    CatsController.make: type CatsController
    CatsController.find: type Cat
    CatsController.handler: call self.#secret.open (cat)
    CatsController.constructor: call super.constructor (rest)
    CatsController.one: call self.service.find (id)
    CatsController.one: call self.service.load (id)
    CatsController.total: read self.cache.size
    CatsController.make: call cls
    CatsController.find: call super.find (id)
    default: type Cat
    default: call cat.roar
    default: pass cat.parts
    default: pass key
    default: call value.check (key)
    wrapped: type Cat
    module: call memo (wrapped)
    wrapped: decorate memo
    wrapped: read cat.name
    shaped.run: call shaped.go
    module: call Foo
    module: call makeBar
    """)


COMMONJS = """
    'use strict';
    var View = require('./view'), util = require('util');
    var methods = require('./utils').methods;
    var { a, b: c } = require('x');
    var app = exports = module.exports = {};
    app.init = function init() { this.cache = {}; this.boot(); };
    app.boot = function () { var self = this; return function inner() { self.init(); }; };
    methods.forEach(function (method) { app[method] = function (path) { return this.init(); }; });
    Object.defineProperty(app, 'router', { get: function getrouter() { return new Router(); } });
    function Store(options) { this.items = []; this.view = new View(options); }
    util.inherits(Store, EventEmitter);
    Store.prototype.add = function add(x) { this.items.push(x); return this; };
    Store.prototype.size = () => 1;
    exports.helper = function (x) { return c(x); };
    exports.alias = exports.helper;
    require('./side');
    Object.assign(exports, require('./more'));
    app.init.call(null, 1);
    setTimeout(app.boot.bind(app), 5);
    eval(x); require(name); obj[key]();
    console.log(app);
    """


def test_definitions_commonjs() -> None:
    assert definitions(read(COMMONJS, ".js")) == lines("""
    app variable 5 +exported
    app.init method 6
    app.boot method 7 -> inner
    app.boot.inner function 7
    app.method method 8 (path) -> app.init()
    app.router property 9 +property -> Router()
    Store class 10 < EventEmitter
    Store.constructor method 10 (options)
    Store.add method 12 (x) -> self
    Store.size method 13 -> %int
    helper function 14 +exported (x) -> c()
    """)


def test_bindings_commonjs() -> None:
    assert bindings(read(COMMONJS, ".js")) == lines("""
    module: View = <./view> (import)
    module: View = <./view>.default (import)
    module: util = <util> (import)
    module: util = <util>.default (import)
    module: methods = <./utils>.methods (import)
    module: methods = <./utils>.default.methods (import)
    module: a = <x>.a (import)
    module: a = <x>.default.a (import)
    module: c = <x>.b (import)
    module: c = <x>.default.b (import)
    module: default = app (assign)
    app: cache = %dict (assign) in app.init
    app.boot: self$ = app (assign)
    module: method = methods[] (assign)
    app: get = app.method (assign) in module
    app: post = app.method (assign) in module
    app: put = app.method (assign) in module
    app: delete = app.method (assign) in module
    app: patch = app.method (assign) in module
    app: head = app.method (assign) in module
    app: options = app.method (assign) in module
    app: all = app.method (assign) in module
    Store: items = %list (assign) in Store.constructor
    Store: view = View() (assign) in Store.constructor
    module: alias = helper (assign)
    module: * = <./more>.* (import)
    module: * = <./more>.default.* (import)
    """)


def test_references_commonjs() -> None:
    assert references(read(COMMONJS, ".js")) == lines("""
    module: import <./view>
    module: import <util>
    module: import <./utils>
    module: read <./utils>.methods
    module: import <x>
    module: write app.init
    app.init: write app.cache
    app.init: call app.boot
    module: write app.boot
    app.boot: pass inner
    app.boot.inner: call self$.init
    module: call methods.forEach
    module: read app
    module: read method
    app.method: call app.init
    module: call %Object.defineProperty (app, "router")
    app.router: call Router
    Store.constructor: write self.items
    Store.constructor: write self.view
    Store.constructor: call View (options)
    module: call util.inherits (Store)
    Store: inherit EventEmitter
    module: write Store!.add
    Store.add: call self.items.push (x)
    module: write Store!.size
    helper: call c (x)
    module: read helper
    module: pass helper
    module: import <./side>
    module: call %Object.assign (default)
    module: import <./more>
    module: call app.init
    module: pass app
    module: pass app.boot
    module: call %setTimeout (app.boot)
    module: call %eval (x)
    module: call obj[]
    module: call %console.log (app)
    """)


def test_gaps_commonjs() -> None:
    found = [(gap.reason, gap.line) for gap in read(COMMONJS, ".js").gaps]
    assert found == [("reflection", 8), ("eval", 20), ("dynamic-import", 20), ("reflection", 20)]


RUNNERS = """
    const { api } = require('../lib/api');
    let app;
    before(async () => { await boot(); });
    describe('res', function () {
      beforeEach(function () { app = api(); });
      describe('.send(body)', () => {
        afterEach(() => app.close());
        it('sends "text"', async () => {
          const helper = () => app.send('x/y');
          helper();
        });
        it.each([1, 2])(`sends ${kind} twice`, (n) => { app.twice(n); });
        it('is shared', shared.works);
        it.todo('comes later');
      });
      specify.skip('late', done => done());
    });
    test('top', { timeout: 5 }, async (t) => {
      await t.test('inner', () => { api(); });
    });
    function shouldBehave(name) { it(name, () => { check(name); }); }
    /re/.test('no test');
    """


def test_definitions_of_test_runners() -> None:
    assert definitions(read(RUNNERS, ".js")) == lines("""
    app variable 2
    file > before function 3 +async
    res > beforeEach function 5
    res > _send_body_ > afterEach function 7 -> app.close()
    res > .send(body) > sends "text" function 8-11 +test +async
    res > .send(body) > sends "text".helper function 9 -> app.send()
    res > .send(body) > sends {} twice function 12 +test (n)
    res > .send(body) > is shared function 13 +test
    res > late function 16 +test (done) -> done()
    top function 18-20 +test +async (t)
    top > inner function 19 +test
    shouldBehave function 21 (name)
    shouldBehave.name function 21 +test
    """)


def test_bindings_of_test_runners() -> None:
    assert bindings(read(RUNNERS, ".js")) == lines("""
    module: api = <../lib/api>.api (import)
    module: api = <../lib/api>.default.api (import)
    module: app = api() (assign) in res > beforeEach
    """)


def test_references_of_test_runners() -> None:
    assert references(read(RUNNERS, ".js")) == lines("""
    module: import <../lib/api>
    file > before: call boot
    res > beforeEach: call api
    res > beforeEach: write app
    res > _send_body_ > afterEach: call app.close
    res > .send(body) > sends "text".helper: call app.send ("x/y")
    res > .send(body) > sends "text": call helper
    module: call %it.each
    res > .send(body) > sends {} twice: call app.twice (n)
    res > .send(body) > is shared: call shared.works
    module: call %it.todo ("comes later")
    res > late: call done
    top > inner: call api
    shouldBehave.name: pass name
    shouldBehave.name: call check (name)
    module: call %regex.test ("no test")
    res > .send(body) > sends "text": call res > _send_body_ > afterEach
    res > .send(body) > sends "text": call res > beforeEach
    res > .send(body) > sends "text": call file > before
    res > .send(body) > sends {} twice: call res > _send_body_ > afterEach
    res > .send(body) > sends {} twice: call res > beforeEach
    res > .send(body) > sends {} twice: call file > before
    res > .send(body) > is shared: call res > _send_body_ > afterEach
    res > .send(body) > is shared: call res > beforeEach
    res > .send(body) > is shared: call file > before
    res > late: call res > beforeEach
    res > late: call file > before
    top: call file > before
    top > inner: call file > before
    shouldBehave.name: call file > before
    """)


COMPONENTS = """
    import React, { useState } from 'react';
    import { Foo, Store as S } from './foo';
    export function Card({ store, onClick = noop }: Props) {
      const [open, setOpen] = useState(false);
      const handle = () => store.save();
      return <Foo.Item a={open} on={handle} title="t/x"><S id={1}/><div onClick={handle}/></Foo.Item>;
    }
    function noop() {}
    export const useThing = (id: string) => { return { load() { return id; }, id }; };
    const cached = memo(function Inner(p: P) { return <b>{p.x.y()}</b>; });
    for (const s of stores) s.save();
    async function go(map: Map<string, Foo>, x: unknown) {
      if (x instanceof Foo) x.run();
      const { default: z, named } = await import('./lazy');
      z(); named.go();
      map.get('k')!.run();
      const list = [new Foo()]; list.map(f => f.run());
      p().then(v => v.done());
      return x as Foo;
    }
    """


def test_definitions_components() -> None:
    assert definitions(read(COMPONENTS, ".tsx")) == lines("""
    Card function 3-7 +exported (arg0: Props!)
    Card.handle function 5 -> store.save()
    noop function 8
    useThing function 9 +exported (id: %str) -> returned
    useThing.returned variable 9
    useThing.returned.load method 9 -> id
    cached function 10 @memo() (p: P!)
    go function 12-20 +async (map: Foo!*, x) -> Foo!, x
    """)


def test_bindings_components() -> None:
    assert bindings(read(COMPONENTS, ".tsx")) == lines("""
    module: React = <react>.default (import)
    module: useState = <react>.useState (import)
    module: Foo = <./foo>.Foo (import)
    module: S = <./foo>.Store (import)
    Card: store = arg0.store (assign)
    Card: onClick = arg0.onClick (assign)
    Card: onClick = noop (assign)
    Card: open = useState()[] (assign)
    Card: setOpen = useState()[] (assign)
    useThing.returned: id = id (assign) in useThing
    module: s = stores[] (assign)
    go: x = Foo! (narrow)
    go: z = <./lazy>.default (import)
    go: named = <./lazy>.named (import)
    go: list = Foo()* (assign)
    go: f = list[] (assign)
    go: v = p() (assign)
    """)


def test_references_components() -> None:
    assert references(read(COMPONENTS, ".tsx")) == lines("""
    module: import <react>.default
    module: import <react>.useState
    module: import <./foo>.Foo
    module: import <./foo>.Store
    Card: read noop
    Card: call useState
    Card.handle: call store.save
    Card: pass open
    Card: pass handle
    Card: call Foo.Item (a=open, on=handle, title="t/x")
    Card: call S
    module: call memo (cached)
    cached: decorate memo
    cached: call p.x.y
    module: call s.save
    go: type Foo
    go: read Foo
    go: call x.run
    go: import <./lazy>
    go: call z
    go: call named.go
    go: call map.get ("k")
    go: call map.get().run
    go: call Foo
    go: call list.map
    go: call f.run
    go: call p
    go: call p().then
    go: call v.done
    """)


def test_imports_of_a_typescript_module_by_require() -> None:
    assert bindings(read('import z = require("./z"); export = z;')) == lines("""
    module: z = <./z> (import)
    module: z = <./z>.default (import)
    module: default = z (assign)
    """)


def test_exports_under_other_names() -> None:
    source = """
    const a = 1;
    export { a as b, a as default };
    export { default } from "./d";
    export { default as D, e } from "./d";
    """
    assert bindings(read(source)) == lines("""
    module: a = %int (assign)
    module: b = a (assign)
    module: default = a (assign)
    module: default = <./d>.default (import)
    module: D = <./d>.default (import)
    module: e = <./d>.e (import)
    """)


def test_exported_objects_of_commonjs_are_names_of_the_module() -> None:
    source = """
    const { c } = require("./c");
    module.exports = { a, b() {}, c, d: c.e, ...require("./rest") };
    module.exports.late = () => 1;
    function a() {}
    """
    symbols = read(source, ".js")
    assert definitions(symbols) == lines("""
    default variable 2 +exported < <./rest>, <./rest>.default
    default.b method 2
    late function 3 +exported -> %int
    a function 4 +exported
    """)
    assert [line for line in bindings(symbols) if line.startswith("module: ")][2:] == lines("""
    module: b = default.b (assign)
    module: d = c.e (assign)
    module: * = <./rest>.* (import)
    """)


def test_what_a_method_sees_that_is_made_inside_of_a_function() -> None:
    source = """
    const app = {};
    function setup(port) {
      const server = new Server();
      app.start = () => server.listen(port);
    }
    """
    assert bindings(read(source, ".js")) == lines("""
    setup: server = Server() (assign)
    app.start: port = port (assign) in setup
    app.start: server = server (assign) in setup
    """)


def test_parameters_hide_outer_names() -> None:
    source = """
    import { res } from "./res";
    function f() { each((res) => res.send()); }
    """
    assert "f: res = ? (assign)" in bindings(read(source))


def test_names_of_the_language_are_marked_unless_the_file_binds_them() -> None:
    assert references(read("console.log(1); fetch(2);"), "call") == ["module: call %console.log", "module: call %fetch"]
    source = "import { fetch } from './net'; fetch(2);"
    assert references(read(source), "call") == ["module: call fetch"]


def test_self_and_cls_are_plain_names_here() -> None:
    source = "class A { m() { const self = this; cls.b(); self.m(); } }"
    symbols = read(source)
    assert bindings(symbols) == ["A.m: self$ = self (assign)"]
    assert references(symbols, "call") == ["A.m: call cls$.b", "A.m: call self$.m"]


def test_mixins_and_subclasses_made_by_functions() -> None:
    source = """
    export const Timed = (Base) => class extends Base { tick() { super.tick(); } };
    class Clock extends Timed(Object) {}
    Object.assign(Clock.prototype, { chime() { return this.tick(); } });
    """
    symbols = read(source, ".js")
    assert definitions(symbols) == lines("""
    Timed function 1 +exported (Base) -> Class
    Timed.Class class 1 +anonymous < Base
    Timed.Class.tick method 1
    Clock class 2 < Timed(), %Object
    Clock.chime method 3 -> self.tick()
    """)


def test_calls_through_call_apply_and_bind() -> None:
    source = "a.f.call(x, 1, b); a.f.apply(x, all); use(a.f.bind(x)); Foo.prototype.bar.call(y);"
    assert references(read(source, ".js"), "call") == lines("""
    module: call a.f (, b)
    module: call a.f
    module: call use (a.f)
    module: call Foo!.bar
    """)


def test_arrow_functions_keep_this_and_functions_of_objects_name_their_object() -> None:
    source = """
    const store = { load() { return [1].map(() => this.one()); }, one: function () {} };
    class A { x = 1; run = () => { this.x; list.forEach(() => this.stop()); }; stop() {} }
    """
    assert references(read(source), "call") == lines("""
    store.load: call %list.map
    store.load: call store.one
    A.run: call list.forEach
    A.run: call self.stop
    """)


def test_flow_types_are_read_with_the_grammar_of_typescript() -> None:
    symbols = read("/* @flow */\nfunction f(x: ?Foo): Bar { return x.y(); }\n", ".js")
    assert [one.name for one in symbols.definitions] == ["", "f"]
    assert references(symbols, "call") == ["f: call x.y"]


def test_texts_that_may_name_something_outside() -> None:
    symbols = read('open("./conf/app.yaml"); say("hello there"); run(`SELECT x`); q("SELECT a FROM b");')
    assert [text.value for text in symbols.texts] == ["./conf/app.yaml", "SELECT a FROM b"]
