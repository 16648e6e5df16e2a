"""Rust: a text with every construct, and exactly what the reader says of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reach.symbol_lines import bindings, changed, definitions, read, references
from tidegate.reach.languages.rust import RUST
from tidegate.reach.symbols import Gap, Text

SHOP = """\
//! What this crate is.
use std::{collections::HashMap, io::{self, Read as Reading}};
pub use self::parts::Part;
use crate::store::{Store, kinds::*};
use super::up::one;
extern crate serde as s;

mod parts;
#[path = "odd/name.rs"]
mod odd;

/// A shop.
#[derive(Debug, Clone)]
#[serde(rename_all = "camelCase")]
pub struct Shop<T: Keeper> {
    pub items: Vec<Box<Item>>,
    best: Option<Arc<Mutex<Item>>>,
    by_name: HashMap<String, Item>,
    keeper: &'static dyn Keeper,
    later: T,
}

pub struct Pair(pub Item, u32);

pub(crate) enum Kind {
    Plain,
    Boxed(Item),
    Named { item: Item },
}

pub trait Keeper: Base + Send {
    type Out;
    const LIMIT: u32 = 1;
    fn keep(&self, item: Item) -> Self::Out;
    fn again(&self) -> u32 {
        self.keep(Item::new("a/b"));
        Self::LIMIT
    }
}

impl<T: Keeper> Shop<T> {
    pub const SIZE: usize = 4;
    pub fn new(later: T) -> Self {
        Self { items: vec![], later, best: None, by_name: HashMap::new(), keeper: &NOBODY }
    }
    async fn find(&mut self, name: &str, other: impl Keeper) -> Result<Item, Error> {
        for (at, item) in self.items.iter().enumerate() {
            if item.fits(name) {
                return Ok(item.copy());
            }
        }
        let Some(best) = self.best.as_ref() else { return Err(Error::gone()) };
        let kept = load(name)?.keep(best).await?;
        let names = self.items.iter().map(|one| one.label()).collect::<Vec<_>>();
        self.later.keep(kept.clone());
        match self.kind() {
            Kind::Plain => plain(),
            Kind::Boxed(inside) if inside.ok() => inside.open(),
            Kind::Named { item, .. } => item.open(),
            _ => {}
        }
        other.keep(kept);
        Ok(self.by_name["x"].first(names))
    }
}

impl Keeper for Shop<u32> {
    type Out = Item;
    fn keep(&self, item: Item) -> Self::Out {
        assert_eq!(item.size(), crate::limits::MOST, "{}", item.name());
        item
    }
}

impl Keeper for crate::other::Desk {
    fn keep(&self, item: Item) -> Item { self.drawer.put(item) }
}

type Answer<T> = Result<T, Error>;
const NAME: &str = "etc/shop.conf";
static NOBODY: Nobody = Nobody::new();

#[macro_export]
macro_rules! keep {
    ($x:expr) => { $crate::store::put($x) };
}

pub fn serve(router: Router) -> impl Keeper {
    let turn = |pair: Pair| pair.0.open();
    register(handler, Shop::<u32>::new, &turn);
    keep!(NAME => { run() });
    let made = <Shop<u32> as Keeper>::keep(&shop, item);
    regex::Regex::new("a");
    Desk { item: made, ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps() { serve(super::parts::router()); }

    #[tokio::test]
    async fn waits() {}
}
"""


def test_definitions() -> None:
    assert definitions(read(RUST, SHOP)) == [
        "13-21 public class Shop : Keeper @Debug @Clone @serde [exported]",
        "23-23 public class Pair [exported]",
        "25-29 public class Kind",
        "31-39 public interface Keeper : Base [exported]",
        "26-26 public class Kind.Plain : Kind",
        "27-27 public class Kind.Boxed : Kind",
        "28-28 public class Kind.Named : Kind",
        "33-33 private constant Keeper.LIMIT",
        "34-34 public method Keeper.keep(item: Item!) -> cls.Out! [abstract]",
        "35-38 public method Keeper.again -> %int",
        "42-42 public constant Shop.SIZE [exported]",
        "43-45 public method Shop.new(later: T!) -> cls! [exported static]",
        "46-64 private method Shop.find(name: %str, other: Keeper!) -> Item! [async]",
        "68-68 private type Shop.Out",
        "69-72 public method Shop.keep(item: Item!) -> cls.Out!",
        "75-77 private class Desk : <crate>.other.Desk, Keeper [partial]",
        "76-76 public method Desk.keep(item: Item!) -> Item!",
        "79-79 private type Answer",
        "80-80 private constant NAME",
        "81-81 private variable NOBODY",
        "83-86 public function keep [exported]",
        "88-95 public function serve(router: Router!) -> Keeper! | Desk() [exported]",
        "97-106 private module tests",
        "101-102 private function tests.keeps @test [test]",
        "104-105 private function tests.waits @<tokio>.test [async test]",
    ]


def test_bindings() -> None:
    assert bindings(read(RUST, SHOP)) == [
        "-: HashMap = <std>.collections.HashMap (import)",
        "-: io = <std>.io (import)",
        "-: Reading = <std>.io.Read (import)",
        "-: Part = <self>.parts.Part (import)",
        "-: Store = <crate>.store.Store (import)",
        "-: * = <crate>.store.kinds.* (import)",
        "-: one = <super>.up.one (import)",
        "-: s = <serde> (import)",
        "-: parts = <self::parts> (import)",
        "-: odd = <./odd/name.rs> (import)",
        "Shop: T = Keeper (annotation)",
        "Shop: items = Item!* (annotation)",
        "Shop: best = Item! (annotation)",
        "Shop: by_name = Item!* (annotation)",
        "Shop: keeper = Keeper! (annotation)",
        "Shop: later = T! (annotation)",
        "Pair: 0 = Item! (annotation)",
        "Pair: 1 = %int (annotation)",
        "Kind.Boxed: 0 = Item! (annotation)",
        "Kind.Named: item = Item! (annotation)",
        "Keeper: LIMIT = %int (annotation in Keeper.LIMIT)",
        "Shop: T = Keeper (annotation)",
        "Shop.SIZE: T = Keeper (annotation)",
        "Shop: SIZE = %int (annotation in Shop.SIZE)",
        "Shop.new: T = Keeper (annotation)",
        "Shop.find: T = Keeper (annotation)",
        "Shop.find: at = ? (assign)",
        "Shop.find: item = self.items.iter()[] (assign)",
        "Shop.find: best = self.best (assign)",
        "Shop.find: kept = load().keep() (assign)",
        "Shop.find: one = self.items.iter()[] (assign)",
        "Shop.find: one = self.items.iter() (assign)",
        "Shop.find: names = one.label()* (assign)",
        "Shop.find: inside = Kind.Boxed!.0 (assign)",
        "Shop.find: item = Kind.Named!.item (assign)",
        "Shop: Out = Item (assign in Shop.Out)",
        "-: Answer = T (assign in Answer)",
        "-: NAME = %str (annotation in NAME)",
        "-: NOBODY = Nobody! (annotation in NOBODY)",
        "-: NOBODY = Nobody.new() (assign in NOBODY)",
        "serve: pair = Pair! (annotation)",
        "serve: turn = %func (assign)",
        "serve: made = Shop.keep() (assign)",
        "tests: * = <self>.* (import)",
    ]


def test_references() -> None:
    symbols = read(RUST, SHOP)
    names = dict.fromkeys(one.name for one in symbols.definitions)
    assert {name: said for name in names if (said := references(symbols, name))} == {
        "": [
            "import <std>.collections.HashMap",
            "import <std>.io",
            "import <std>.io.Read",
            "import <self>.parts.Part",
            "import <crate>.store.Store",
            "import <crate>.store.kinds",
            "import <super>.up.one",
            "import <serde>",
            "import <self::parts>",
            "import <./odd/name.rs>",
        ],
        "Shop": [
            "decorate derive(Debug, Clone)",
            "decorate serde()",
            "type Keeper",
            "type Item",
            "type Item",
            "type Item",
            "type Keeper",
            "type Keeper",
            "type Keeper",
            "inherit Keeper",
        ],
        "Pair": [
            "type Item",
        ],
        "Keeper": [
            "type Base",
            "inherit Base",
        ],
        "Kind.Plain": [
            "inherit Kind",
        ],
        "Kind.Boxed": [
            "inherit Kind",
            "type Item",
        ],
        "Kind.Named": [
            "inherit Kind",
            "type Item",
        ],
        "Keeper.keep": [
            "type Item",
        ],
        "Keeper.again": [
            'call Item.new("a/b")',
            "call self.keep(Item.new())",
            "read cls.LIMIT",
        ],
        "Shop.new": [
            "pass NOBODY",
            "call cls(items=%list, later=later, best=, by_name=%dict, keeper=NOBODY)",
        ],
        "Shop.find": [
            "type Keeper",
            "type Item",
            "call self.items.iter",
            "call self.items.iter().enumerate",
            "call item.fits(name)",
            "call item.copy",
            "call self.best.as_ref",
            "call Error.gone",
            "call load(name)",
            "call load().keep(best)",
            "call self.items.iter",
            "call one.label",
            "call self.items.iter().map(%func)",
            "call one.label()*.collect",
            "call kept.clone",
            "call self.later.keep(kept)",
            "call self.kind",
            "read Kind.Plain",
            "call plain",
            "read Kind.Boxed",
            "call inside.ok",
            "call inside.open",
            "read Kind.Named",
            "call item.open",
            "call other.keep(kept)",
            "call self.by_name[].first(names)",
        ],
        "Shop.Out": [
            "type Item",
        ],
        "Shop.keep": [
            "type Item",
            "call item.size",
            "pass <crate>.limits.MOST",
            "call item.name",
        ],
        "Desk": [
            "type Keeper",
            "inherit Keeper",
        ],
        "Desk.keep": [
            "type Item",
            "type Item",
            "call self.drawer.put(item)",
        ],
        "NOBODY": [
            "type Nobody",
            "call Nobody.new",
        ],
        "keep": [
            "call <crate>.store.put()",
        ],
        "serve": [
            "type Router",
            "type Keeper",
            "type Pair",
            "call pair.0.open",
            "pass handler",
            "pass Shop.new",
            "call register(handler, Shop.new, turn)",
            "pass NAME",
            "call run",
            "call keep()",
            "type Keeper",
            "type Shop",
            "pass shop",
            "pass item",
            "call Shop.keep(shop, item)",
            'call <regex>.Regex.new("a")',
            "call Default.default",
            "call Desk(item=made)",
        ],
        "tests": [
            "import <self>",
        ],
        "tests.keeps": [
            "decorate test",
            "call <self>.parts.router",
            "call serve(<self>.parts.router())",
        ],
        "tests.waits": [
            "decorate <tokio>.test",
        ],
    }


def test_texts_and_gaps() -> None:
    symbols = read(RUST, SHOP)
    assert symbols.texts == (Text(within=10, value="a/b", line=36), Text(within=19, value="etc/shop.conf", line=80))
    assert symbols.gaps == (Gap(within=22, reason="macro", line=91),)
    assert symbols.package == ""


def test_branches() -> None:
    """Loops are 1, branches and closures 3, what treats an error 5."""
    calls = [one for one in read(RUST, SHOP).references if one.kind == "call" and one.branch]
    assert [(one.chain, one.branch) for one in calls] == [
        ("item.fits", 1),
        ("item.copy", 3),
        ("Error.gone", 3),
        ("one.label", 3),
        ("plain", 3),
        ("inside.open", 3),
        ("item.open", 3),
        ("pair.0.open", 3),
    ]


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("use a::b;", "b = <a>.b"),
        ("use a;", "a = <a>"),
        ("use a::b as c;", "c = <a>.b"),
        ("use crate::a::{self, b::{C, D as E}};", "E = <crate>.a.b.D"),
        ("use crate::a::{self, b::{C, D as E}};", "a = <crate>.a"),
        ("use super::super::a::B;", "B = <super::super>.a.B"),
        ("use self::a::*;", "* = <self>.a.*"),
        ("mod a; use a::B;", "B = a.B"),
        ("pub(crate) use a::b;", "b = <a>.b"),
        ("use ::a::b;", "b = <a>.b"),
    ],
)
def test_what_a_use_binds(use: str, expected: str) -> None:
    assert f"-: {expected} (import)" in bindings(read(RUST, use + "\n"))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("let x = Item { a: 1 };", "x = Item()"),
        ("let x = Item::new();", "x = Item.new()"),
        ("let x = Box::new(Item::new());", "x = Item.new()"),
        ("let x = Some(Item::new());", "x = Item.new()"),
        ("let x: Vec<Item> = f();", "x = Item!*"),
        ("let x: Result<Option<Rc<Item>>, Error> = f();", "x = Item!"),
        ("let x: HashMap<String, Item> = f();", "x = Item!*"),
        ("let x: Box<dyn Keeper + Send> = f();", "x = Keeper!"),
        ("let x: impl Iterator<Item = Ware> = f();", "x = Ware!*"),
        ("let x: [Item; 3] = f();", "x = Item!*"),
        ("let x: &dyn Fn(u32) -> u32 = f();", "x = %func"),
        ("let x = f()?.g().await?;", "x = f().g()"),
        ("let x = items[0].clone();", "x = items[]"),
        ("let x = vec![Item::new()];", "x = Item.new()*"),
        ("let x = Kind::Plain;", "x = Kind.Plain()"),
        ("let (x, y) = (Item::new(), 1);", "x = Item.new()"),
        ("if let Some(x) = find() { }", "x = find()"),
        ("while let Ok(x) = rest.next() { }", "x = rest.next()"),
        ("for (_, x) in &items { }", "x = items[]"),
        ("match f() { Kind::Boxed(x) => {} }", "x = Kind.Boxed!.0"),
        ("match f() { Kind::Named { a: x } => {} }", "x = Kind.Named!.a"),
        ("match f() { x @ 1..=3 => {} }", "x = f()"),
        ("items.iter().for_each(|x| x.go());", "x = items.iter()[]"),
        ("let f = |x: &Item| x.go();", "x = Item!"),
        ("dbg!(|x: Item| x.go());", "x = Item!"),
        ("wrap! { let x = Item::new(); }", "x = Item.new()"),
    ],
)
def test_what_a_local_name_means(statement: str, expected: str) -> None:
    symbols = read(RUST, f"fn main() {{ {statement} }}\n")
    assert any(line.startswith(f"main: {expected} (") for line in bindings(symbols))


def test_calls_between_the_brackets_of_macros_are_read() -> None:
    source = 'fn f() { assert_eq!(a.b(1)?.c(), Foo::new("x/y", &d), "{}", g![h(2)]); }\n'
    symbols = read(RUST, source)
    assert references(symbols, "f", "call") == [
        "call a.b(%int)",
        "call a.b().c",
        'call Foo.new("x/y", d)',
        "call h(%int)",
        "call g(h())",
    ]
    assert [text.value for text in symbols.texts] == ["x/y"]


def test_a_macro_between_items_can_make_a_test() -> None:
    symbols = read(RUST, 'rgtest!(finds, |dir: Dir, mut cmd: Cmd| { cmd.arg("x"); });\n')
    assert definitions(symbols) == ["1-1 private function finds [test]"]
    assert references(symbols, "finds") == ['call cmd.arg("x")', "call rgtest(finds, , )"]


def test_a_path_that_the_file_does_not_know_begins_with_a_crate() -> None:
    symbols = read(RUST, "mod near;\nfn f(given: u32) { near::a(); far::b(); given::c(); u32::from(1); Self::d(); }\n")
    calls = references(symbols, "f", "call")
    assert calls == ["call near.a", "call <far>.b", "call given.c", "call u32.from(%int)", "call cls.d"]


def test_an_inline_module_looks_up_from_where_it_stands() -> None:
    source = "mod a { mod b { use super::x; use super::super::y; use super::super::super::z; use self::w; } }\n"
    assert [line.partition(": ")[2] for line in bindings(read(RUST, source))] == [
        "x = <self>.a.x (import)",
        "y = <self>.y (import)",
        "z = <super>.z (import)",
        "w = <self>.a.b.w (import)",
    ]


BEFORE = """\
use std::io;

/// A shop.
#[derive(Debug)]
pub struct Shop {
    name: String,
}

impl Shop {
    /// Sells.
    pub fn sell(&self, a: u32) -> u32 {
        self.count(a)
    }
}

const LIMIT: u32 = 5;

enum Kind {
    Plain,
    Boxed(u32),
}
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("self.count(a)", "self.count(a) // why", {}),
        ("(&self, a: u32)", "(\n        &self,\n        a: u32,\n    )", {}),
        ("/// A shop.", "/// A store.", {"Shop": ["docs"]}),
        ("/// Sells.", "/// Gives.", {"Shop.sell": ["docs"]}),
        ("self.count(a)", "self.count(1)", {"Shop.sell": ["body"]}),
        ("a: u32", "a: u64", {"Shop.sell": ["signature"]}),
        ("pub fn", "fn", {"Shop.sell": ["signature"]}),
        ("derive(Debug)", "derive(Debug, Clone)", {"Shop": ["decorators"]}),
        ("name: String,", "name: String,\n    more: u8,", {"Shop": ["body"]}),
        ("= 5", "= 6", {"LIMIT": ["body"]}),
        ("LIMIT: u32", "LIMIT: u64", {"LIMIT": ["signature"]}),
        ("Boxed(u32)", "Boxed(u64)", {"Kind.Boxed": ["body"]}),
        ("fn sell", "fn give", {"Shop.sell": ["gone"], "Shop.give": ["new"]}),
        ("use std::io;", "use std::fs;", {"": ["body"]}),
    ],
)
def test_digests_move_with_what_changed(old: str, new: str, expected: dict[str, list[str]]) -> None:
    assert old in BEFORE
    assert changed(RUST, BEFORE, BEFORE.replace(old, new, 1)) == expected


MANIFESTS = {
    "Cargo.toml": '[workspace]\nmembers = ["core", "tool-kit"]\n',
    "core/Cargo.toml": '[package]\nname = "shop-core"\n',
    "tool-kit/Cargo.toml": (
        '[package]\nname = "tool-kit"\n[lib]\nname = "kit"\npath = "src/kit.rs"\n'
        '[dependencies]\nbase = { path = "../core" }\nheart = { package = "shop-core", version = "1" }\n'
    ),
    "broken/Cargo.toml": "[package\n",
}
FILES = [
    "core/src/lib.rs",
    "core/src/a.rs",
    "core/src/a/b.rs",
    "core/src/c/mod.rs",
    "core/src/c/d.rs",
    "core/src/bin/run.rs",
    "core/tests/it.rs",
    "core/tests/common/mod.rs",
    "core/odd/name.rs",
    "core/build.rs",
    "tool-kit/src/kit.rs",
    "tool-kit/src/main.rs",
    "broken/src/lib.rs",
]


@pytest.mark.parametrize(
    ("spec", "path", "expected"),
    [
        ("crate", "core/src/a/b.rs", ("core/src/lib.rs",)),
        ("crate", "core/tests/it.rs", ("core/tests/it.rs",)),
        ("crate", "core/src/bin/run.rs", ("core/src/bin/run.rs",)),
        ("crate", "core/build.rs", ("core/build.rs",)),
        ("crate", "tool-kit/src/kit.rs", ("tool-kit/src/kit.rs", "tool-kit/src/main.rs")),
        ("crate", "broken/src/lib.rs", ("broken/src/lib.rs",)),
        ("self", "core/src/a.rs", ("core/src/a.rs",)),
        ("self::a", "core/src/lib.rs", ("core/src/a.rs",)),
        ("self::b", "core/src/a.rs", ("core/src/a/b.rs",)),
        ("self::c", "core/src/lib.rs", ("core/src/c/mod.rs",)),
        ("self::d", "core/src/c/mod.rs", ("core/src/c/d.rs",)),
        ("self::common", "core/tests/it.rs", ("core/tests/common/mod.rs",)),
        ("self::missing", "core/src/lib.rs", ()),
        ("super", "core/src/a.rs", ("core/src/lib.rs",)),
        ("super", "core/src/a/b.rs", ("core/src/a.rs",)),
        ("super", "core/src/c/d.rs", ("core/src/c/mod.rs",)),
        ("super", "core/src/c/mod.rs", ("core/src/lib.rs",)),
        ("super::super", "core/src/a/b.rs", ("core/src/lib.rs",)),
        ("./../odd/name.rs", "core/src/lib.rs", ("core/odd/name.rs",)),
        ("shop_core", "tool-kit/src/kit.rs", ("core/src/lib.rs",)),
        ("shop_core", "core/tests/it.rs", ("core/src/lib.rs",)),
        ("base", "tool-kit/src/kit.rs", ("core/src/lib.rs",)),
        ("heart", "tool-kit/src/main.rs", ("core/src/lib.rs",)),
        ("kit", "core/src/lib.rs", ("tool-kit/src/kit.rs",)),
        ("std", "core/src/lib.rs", ()),
    ],
)
def test_where_a_path_leads(spec: str, path: str, expected: tuple[str, ...]) -> None:
    texts = {name: text.encode() for name, text in MANIFESTS.items()}
    packages = dict.fromkeys(FILES, "")
    layout = RUST.read_layout(packages, [*FILES, *texts], lambda wanted: {name: texts[name] for name in wanted})
    assert layout.find(spec, path) == expected
    assert layout.visible(path) == ()


DEEP = 10_000


@pytest.mark.parametrize(
    "body",
    [
        "let x = " + "(" * DEEP + "1" + ")" * DEEP + ";",
        "g(" * DEEP + ")" * DEEP,
        "{" * DEEP + "}" * DEEP,
        "a" + ".b()" * DEEP,
        "let x = " + "|a| " * DEEP + "1;",
        "let x: " + "Vec<" * DEEP + "u8" + ">" * DEEP + ";",
    ],
    ids=["brackets", "calls", "blocks", "chain", "closures", "type"],
)
def test_deep_nesting_is_a_gap_and_spares_the_rest(body: str) -> None:
    symbols = read(RUST, f"fn f() {{ {body} }}\nfn last() {{ f() }}\n")
    assert [one.name for one in symbols.definitions] == ["", "f", "last"]
    assert [gap.reason for gap in symbols.gaps] == ["syntax"]
    assert references(symbols, "last") == ["call f"]


@pytest.mark.parametrize("body", ["m!" + "(" * DEEP + ")" * DEEP + ";", "m!(" + "g(" * DEEP + ")" * DEEP + ");"])
def test_deep_macros_are_read(body: str) -> None:
    symbols = read(RUST, f"fn f() {{ {body} }}\nfn last() {{ f() }}\n")
    assert references(symbols, "last") == ["call f"]
    assert references(symbols, "f")[-1].startswith("call m(")


@pytest.mark.parametrize(
    "source", [b"", b"\0", b"\xff\xfe", b"fn", b"fn f( {", b"impl", b"}" * 1000, b"struct S {", b"use a::{", b"m!("]
)
def test_what_is_no_rust_is_read_without_raising(source: bytes) -> None:
    symbols = RUST.read_symbols(source, ".rs")
    assert [(d.name, d.kind) for d in symbols.definitions] == [
        (d.name, d.kind) for d in RUST.read_digests(source, ".rs")
    ]


def test_a_syntax_error_keeps_the_rest() -> None:
    symbols = read(RUST, "fn f() { g() }\nfn broken( { ] \n}\nfn last() { f() }\n")
    assert symbols.gaps
    assert references(symbols, "f") == ["call g"]


def test_invalid_utf_8_and_long_lines_are_read() -> None:
    source = b'// \xff\nfn f() { g("' + b"a/b" * 1_700_000 + b'"); h("\xc3\xbc.b") }\n'
    symbols = RUST.read_symbols(source, ".rs")
    assert references(symbols, "f")[1] == 'call h("ü.b")'
    assert symbols.texts == (Text(1, "ü.b", 2),)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(SHOP)), st.integers(0, 60))
def test_damaged_sources_are_read_the_same_way_twice(at: int, length: int) -> None:
    source = (SHOP[:at] + SHOP[at + length :]).encode()
    symbols = RUST.read_symbols(source, ".rs")
    assert symbols == RUST.read_symbols(source, ".rs")
    assert [one.name for one in RUST.read_digests(source, ".rs")] == [one.name for one in symbols.definitions]
    assert all(one.parent < number for number, one in enumerate(symbols.definitions))
