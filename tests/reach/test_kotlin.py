"""Kotlin: a text with every construct, and exactly what the reader says of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reach.symbol_lines import bindings, changed, definitions, digests, read, references
from tidegate.reach.languages.kotlin import KOTLIN

SHOP = """\
@file:JvmName("Shops")

package com.acme.shop

import com.acme.base.Entity as Base
import com.acme.util.*
import com.acme.text.shout
import org.junit.Test

const val LIMIT = 5
val shared: Shop = Shop(listOf(), FileRepository("data/orders.csv"))
private val lazyShop by lazy { Shop.create() }
typealias Orders = List<Order>

@Service("shop")
open class Shop @Inject constructor(
    private val orders: List<Order>,
    repository: Repository,
    val names: Map<String, Name> = mapOf(),
) : Base<Order>(repository), Closeable by repository {
    private val store = repository.open()
    lateinit var owner: Owner
    var total: Int = 0
        private set
    val size: Int
        get() = orders.size + store.count()

    init {
        register(repository)
    }

    constructor(single: Order) : this(listOf(single), Repository()) {
        single.touch()
    }

    @GetMapping("/orders/{id}", produces = ["a", "b"])
    override suspend fun find(id: Int, vararg tags: Tag): Order? {
        val found = store.load(id) ?: return null
        if (found is Special) {
            found.special()
        }
        for (order in orders) order.check()
        orders.filter { it.open }.map { it.parent() }.forEach { p -> p.close() }
        owner.let { it.tell() }
        val made = Order().apply { touch() }.also { log(it) }
        with(made) { ship() }
        names["x"]?.use()
        super.find(id)
        this@Shop.total = 3
        tags.first().name.shout()
        val (a, b) = pair()
        a.left()
        handler(::log)
        handler(Order::touch)
        handler(Order::class.java)
        made shouldBe found
        when (val state = found.state()) {
            is Open -> state.open()
            Closed -> closed()
            else -> log("closed $id of ${found.name}")
        }
        return found
    }

    fun made() = object : Task(), Runnable {
        override fun run() { log("x") }
    }

    fun log(text: Any) = println(text)

    companion object Factory : Maker {
        const val NAME = "shop"
        fun create() = Shop(Order())
    }

    inner class Cursor { fun next() = log("n") }
}

enum class Color(val code: Int) {
    RED(1),
    GREEN(2) {
        override fun shade() = 2
    };
    open fun shade() = 1
}

sealed interface Result {
    data object None : Result
    data class Ok(val order: Order) : Result
}

fun Order.ship(to: Address = Address.home()): Order {
    check()
    to.use(this)
    return this.also { shipAll(it) }
}

val Order.label: String get() = name()

private fun <T : Item> shipAll(item: T) {
    item.touch()
    fun inner() = item.touch()
    inner()
    Order().ship()
}
"""

TESTS = """\
import org.junit.jupiter.api.*

class ShopTest {
    private val shop = Shop()

    @BeforeEach
    fun open() = shop.open()

    @Test
    fun `sells one`() { shop.sell() }

    fun helper() {}
}

class Spec : StringSpec({
    "sells" { Shop().sell() }
})
"""


def test_classes_definitions() -> None:
    assert definitions(read(KOTLIN, SHOP)) == [
        "10-10 public constant LIMIT",
        "11-11 public variable shared",
        "12-12 private variable lazyShop",
        "13-13 public type Orders",
        "15-77 public class Shop : Base @Service",
        "16-20 public method Shop.<init>(orders: Order!*, repository: Repository!, names: Name!* = mapOf()) @Inject",
        "17-17 private variable Shop.orders",
        "19-19 public variable Shop.names",
        "21-21 private variable Shop.store",
        "22-22 public variable Shop.owner",
        "23-24 public variable Shop.total",
        "25-26 public property Shop.size -> %int [property]",
        "28-30 private method Shop.<clinit>",
        "32-34 public method Shop.<init>(single: Order!)",
        "36-63 public method Shop.find(id: %int, *tags: Tag!) -> Order! @GetMapping [async]",
        "65-67 public method Shop.made -> Task$1()",
        "65-67 private class Shop.made.Task$1 : Task [anonymous]",
        "66-66 public method Shop.made.Task$1.run",
        "69-69 public method Shop.log(text: ) -> println()",
        "71-74 public class Shop.Factory : Maker",
        "72-72 public constant Shop.Factory.NAME",
        "73-73 public method Shop.Factory.create -> Shop()",
        "76-76 public class Shop.Cursor",
        "76-76 public method Shop.Cursor.next -> Shop!.log()",
        "79-85 public class Color",
        "79-79 public method Color.<init>(code: %int)",
        "79-79 public variable Color.code",
        "80-80 public constant Color.RED [static]",
        "81-83 public constant Color.GREEN [static]",
        "81-83 private class Color.GREEN.Color$1 : Color [anonymous]",
        "82-82 public method Color.GREEN.Color$1.shade -> %int",
        "84-84 public method Color.shade -> %int",
        "87-90 public interface Result [abstract]",
        "88-88 public class Result.None : Result",
        "89-89 public class Result.Ok : Result",
        "89-89 public method Result.Ok.<init>(order: Order!)",
        "89-89 public variable Result.Ok.order",
        "92-96 public function ship(this: Order!, to: Address! = Address.home()) -> Order! [extension]",
        "98-98 public property label(this: Order!) -> %str [property extension]",
        "100-105 private function shipAll(item: Item!)",
        "102-102 public function shipAll.inner -> item.touch()",
    ]


def test_classes_bindings() -> None:
    assert bindings(read(KOTLIN, SHOP)) == [
        "-: Base = <com.acme.base>.Entity (import)",
        "-: * = <com.acme.util>.* (import)",
        "-: shout = <com.acme.text>.shout (import)",
        "-: Test = <org.junit>.Test (import)",
        "-: LIMIT = %int (assign)",
        "-: shared = Shop! (annotation)",
        "-: shared = Shop() (assign in shared)",
        "-: lazyShop = Shop.create() (assign in lazyShop)",
        "-: Orders = List (assign in Orders)",
        "Shop: orders = Order!* (annotation)",
        "Shop: names = Name!* (annotation)",
        "Shop.store: repository = Repository! (annotation)",
        "Shop: store = repository.open() (assign in Shop.store)",
        "Shop: owner = Owner! (annotation)",
        "Shop.total: repository = Repository! (annotation)",
        "Shop: total = %int (annotation)",
        "Shop.<clinit>: repository = Repository! (annotation)",
        "Shop.find: found = store.load() (assign)",
        "Shop.find: found = Special! (narrow)",
        "Shop.find: order = orders[] (assign)",
        "Shop.find: made = Order() (assign)",
        "Shop.find: a = pair().component1() (assign)",
        "Shop.find: b = pair().component2() (assign)",
        "Shop.find: state = found.state() (assign)",
        "Shop.find: state = Open! (narrow)",
        "-: Runnable = <java.lang>.Runnable (import)",
        "Shop.Factory: NAME = %str (assign)",
        "Shop: NAME = Factory.NAME (assign)",
        "Shop: create = Factory.create (assign)",
        "Color: code = %int (annotation)",
        "Color: RED = Color() (assign in Color.RED)",
        "Color: GREEN = Color$1() (assign in Color.GREEN)",
        "Color: values = Color!*.values (annotation)",
        "Color: entries = Color!* (annotation)",
        "Color: valueOf = Color!*.get (annotation)",
        "Result.Ok: order = Order! (annotation)",
        "-: Shops = <com.acme.shop> (import)",
    ]


def test_classes_references() -> None:
    symbols = read(KOTLIN, SHOP)
    found = {one.name: references(symbols, one.name) for one in symbols.definitions}
    assert {name: lines for name, lines in found.items() if lines} == {
        "": [
            "import <com.acme.base>.Entity",
            "import <com.acme.util>",
            "import <com.acme.text>.shout",
            "import <org.junit>.Test",
        ],
        "shared": [
            "type Shop",
            'call FileRepository("data/orders.csv")',
            "call Shop(, FileRepository())",
        ],
        "lazyShop": [
            "read Shop",
            "call Shop.create",
            "call lazy()",
        ],
        "Orders": [
            "type Order",
            "type List",
        ],
        "Shop": [
            'decorate Service("shop")',
            "call Base",
            "inherit Base",
            "type Order",
            "inherit Closeable",
            "read Shop.store",
            "call Shop.<clinit>",
        ],
        "Shop.<init>": [
            "decorate Inject",
            "type Order",
            "type List",
            "type Repository",
            "type Name",
            "type Map",
            "call mapOf",
            "call super.<init>(repository)",
            "type Order",
            "call Repository",
            "call self.<init>(single*, Repository())",
            "call single.touch",
        ],
        "Shop.store": [
            "call repository.open",
        ],
        "Shop.owner": [
            "type Owner",
        ],
        "Shop.size": [
            "read orders",
            "read store",
            "call store.count",
        ],
        "Shop.<clinit>": [
            "call register(repository)",
        ],
        "Shop.find": [
            'decorate GetMapping("/orders/{id}", produces="a", produces="b")',
            "type Tag",
            "type Order",
            "override super.find",
            "read store",
            "call store.load(id)",
            "type Special",
            "call found.special",
            "read orders",
            "call order.check",
            "read orders[].open",
            "call orders.filter()",
            "call orders[].parent",
            "call orders.map()",
            "call orders[].parent()*[].close",
            "call orders[].parent()*.forEach()",
            "read owner",
            "call owner.tell",
            "call Order",
            "call Order().touch",
            "call touch",
            "call self.log(Order())",
            "call ship",
            "call with",
            "read names",
            "call names[].use",
            "call super.find(id)",
            "write self.total",
            "call tags.first",
            "read tags[].name",
            "call shout(tags[].name)",
            "call pair",
            "call pair().component1",
            "call pair().component2",
            "call a.left",
            "pass self.log",
            "call handler(self.log)",
            "read Order",
            "pass Order.touch",
            "call handler(Order.touch)",
            "pass Order",
            "call handler(Order)",
            "call made.shouldBe()",
            "call found.state",
            "type Open",
            "call state.open",
            "read Closed",
            "call closed",
            "read found.name",
            'call self.log("closed {} of {}")',
        ],
        "Shop.made": [
            "call Task$1",
        ],
        "Shop.made.Task$1": [
            "call Task",
            "inherit Task",
            "inherit Runnable",
            "pass Task$1!.run",
            "call super.<init>",
        ],
        "Shop.made.Task$1.run": [
            "override super.run",
            'call Shop!.log("x")',
        ],
        "Shop.log": [
            "call println()",
        ],
        "Shop.Factory": [
            "inherit Maker",
        ],
        "Shop.Factory.create": [
            "call Order",
            "call Shop(Order())",
        ],
        "Shop.Cursor.next": [
            'call Shop!.log("n")',
        ],
        "Color": [
            "read Color.RED",
            "read Color.GREEN",
        ],
        "Color.RED": [
            "call Color()",
        ],
        "Color.GREEN": [
            "call Color$1()",
        ],
        "Color.GREEN.Color$1": [
            "inherit Color",
        ],
        "Color.GREEN.Color$1.shade": [
            "override super.shade",
        ],
        "Result.None": [
            "inherit Result",
        ],
        "Result.Ok": [
            "inherit Result",
        ],
        "Result.Ok.<init>": [
            "type Order",
        ],
        "ship": [
            "type Order",
            "type Address",
            "read Address",
            "call Address.home",
            "call this.check",
            "call check",
            "call to.use(this)",
            "call shipAll(this)",
        ],
        "label": [
            "type Order",
            "call this.name",
            "call name",
        ],
        "shipAll": [
            "type Item",
            "call item.touch",
            "call inner",
            "call Order",
            "call ship(Order())",
        ],
        "shipAll.inner": [
            "call item.touch",
        ],
    }


def test_tests_definitions() -> None:
    assert definitions(read(KOTLIN, TESTS)) == [
        "3-13 public class ShopTest",
        "4-4 private variable ShopTest.shop",
        "6-7 public method ShopTest.open -> shop.open() @BeforeEach",
        "9-10 public method ShopTest.sells one @Test [test]",
        "12-12 public method ShopTest.helper",
        "15-17 public class Spec : StringSpec [test]",
    ]


def test_tests_bindings() -> None:
    assert bindings(read(KOTLIN, TESTS)) == [
        "-: * = <org.junit.jupiter.api>.* (import)",
        "ShopTest: shop = Shop() (assign in ShopTest.shop)",
    ]


def test_tests_references() -> None:
    symbols = read(KOTLIN, TESTS)
    found = {one.name: references(symbols, one.name) for one in symbols.definitions}
    assert {name: lines for name, lines in found.items() if lines} == {
        "": [
            "import <org.junit.jupiter.api>",
        ],
        "ShopTest": [
            "read ShopTest.shop",
            "call ShopTest!.open",
        ],
        "ShopTest.shop": [
            "call Shop",
        ],
        "ShopTest.open": [
            "read shop",
            "call shop.open",
        ],
        "ShopTest.sells one": [
            "read shop",
            "call shop.sell",
            "call ShopTest",
            "call ShopTest!.open",
        ],
        "Spec": [
            "call StringSpec",
            "inherit StringSpec",
            "call Shop",
            "call Shop().sell",
            "call super.<init>()",
        ],
    }


def test_what_scope_functions_are_given_keeps_its_type() -> None:
    symbols = read(
        KOTLIN,
        """
        class A(private val repo: Repo) {
            fun m() {
                val made = Order().apply { touch() }.also { it.check() }
                made.let(Order::ship)
                made.use("x")
                val other = repo.run { load() }
                repo.all().map { order -> order.id }
                listOf(Order(1)).first().ship()
                ArrayList<Order>().get(0).ship()
            }
        }
        """,
    )
    assert references(symbols, "A.m", "call", "pass") == [
        "call Order",
        "call Order().touch",
        "call touch",
        "call Order().check",
        "pass Order.ship",
        'call made.use("x")',
        "call repo.load",
        "call load",
        "call repo.all",
        "call repo.all().map()",
        "call Order()",
        "call Order()*.first",
        "call Order()*[].ship",
        "call Order!*.get()",
        "call Order!*[].ship",
    ]
    assert bindings(symbols)[1:] == ["A.m: made = Order() (assign)", "A.m: other = load() (assign)"]


def test_extensions_in_sight_are_called_by_name_with_their_receiver() -> None:
    symbols = read(
        KOTLIN,
        """
        package com.acme
        import com.text.shout
        class A(private val order: Order) {
            private fun Order.mark(x: Int) = touch()
            fun m() {
                order.mark(1)
                order.name.shout()
                order.ship()
            }
        }
        """,
    )
    assert references(symbols, "A.m", "call") == ["call mark(order, )", "call shout(order.name)", "call order.ship"]
    assert references(symbols, "A.mark", "call") == ["call this.touch", "call touch"]


def test_a_builder_answers_with_itself() -> None:
    symbols = read(
        KOTLIN,
        """
        class Builder {
            private var dns: Dns? = null
            var client = first()
            fun dns(dns: Dns) = apply { this.dns = dns }
            fun renew() { client = client.next() }
        }
        """,
    )
    found = {one.name: one.returns for one in symbols.definitions if one.kind == "method"}
    assert found == {"Builder.dns": ("self",), "Builder.renew": ()}
    assert bindings(symbols) == [
        "Builder: dns = Dns! (annotation)",
        "Builder: client = first() (assign in Builder.client)",
    ]


def test_references_say_under_which_condition_they_run() -> None:
    symbols = read(
        KOTLIN,
        """
        fun m(flag: Boolean) {
            always()
            for (x in y) { loop() }
            if (flag) { branch(); return } else other()
            afterExit()
            try { tried() } catch (e: Failure) { handled() }
            val z = found() ?: right()
            when (z) { 1 -> one() }
        }
        """,
    )
    assert {r.chain: r.branch for r in symbols.references if r.kind == "call"} == {
        "always": 0,
        "y.iterator": 0,
        "loop": 1,
        "branch": 3,
        "other": 3,
        "afterExit": 2,
        "tried": 2,
        "handled": 5,
        "found": 2,
        "right": 3,
        "one": 3,
    }


def test_bodies_in_one_line_are_read() -> None:
    symbols = read(
        KOTLIN,
        """
        class A { companion object { fun of() = A() } }
        enum class E { X, Y; fun q() { r() } }
        interface I { fun a() }
        class B { init { start() } }
        """,
    )
    names = [one.name for one in symbols.definitions[1:]]
    assert names == ["A", "A.Companion", "A.Companion.of", "E", "E.X", "E.Y", "E.q", "I", "I.a", "B", "B.<clinit>"]
    assert symbols.gaps == ()


def test_a_class_that_the_grammar_does_not_understand_keeps_its_members() -> None:
    symbols = read(
        KOTLIN,
        """
        class A {
          protected constructor() {
            x = 1
          }
          fun ok() { f() }
          fun broken( { }
        }
        """,
    )
    assert "A.ok" in [one.name for one in symbols.definitions]
    assert {gap.reason for gap in symbols.gaps} == {"syntax"}


BASE = """
package a

/** Sells. */
@Service("x")
class Shop(val id: Int = 1, name: String) : Base(name) {
    /** Limit. */
    private val limit = 5

    /** Finds. */
    @Get("/a")
    fun find(id: Int, first: Boolean = true): Order {
        // why
        return load(id) { it.go() }
    }

    val size: Int
        get() = one()

    fun other() = two(
        1,
        2,
    )

    companion object {
        const val NAME = "n"
    }
}

fun Order.ship() { go() }
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("// why\n", "/* because\n of */\n", {}),
        ("        2,\n", "        2\n", {}),
        ("two(\n        1,\n        2,\n    )", "two(1, 2)", {}),
        ("/** Finds. */", "/** Finds one. */", {"Shop.find": ["docs"]}),
        ("/** Sells. */", "", {"Shop": ["docs"]}),
        ("/** Limit. */", "/** Limits. */", {"Shop.limit": ["docs"]}),
        ("it.go()", "it.stop()", {"Shop.find": ["body"]}),
        ("fun find(id: Int,", "fun find(id: Long,", {"Shop.find": ["signature"]}),
        ("first: Boolean = true", "first: Boolean = false", {"Shop.find": ["defaults"]}),
        (
            "val id: Int = 1",
            "val id: Int = 2",
            {"Shop": ["defaults"], "Shop.<init>": ["defaults"], "Shop.id": ["body"]},
        ),
        ('@Get("/a")', '@Get("/b")', {"Shop.find": ["decorators"]}),
        ("Base(name)", "Other(name)", {"Shop": ["bases"]}),
        ("limit = 5", "limit = 6", {"Shop.limit": ["body"]}),
        ("get() = one()", "get() = three()", {"Shop.size": ["body"]}),
        ('NAME = "n"', 'NAME = "m"', {"Shop.Companion.NAME": ["body"]}),
        ("fun Order.ship", "fun Item.ship", {"ship": ["signature"]}),
        ("fun other", "fun another", {"Shop.other": ["gone"], "Shop.another": ["new"]}),
        ("package a", "package b", {"": ["body"]}),
    ],
)
def test_digests_move_with_their_part_alone(old: str, new: str, expected: dict[str, list[str]]) -> None:
    assert old in BASE
    assert changed(KOTLIN, BASE, BASE.replace(old, new)) == expected


@pytest.mark.parametrize("text", [SHOP, TESTS, BASE])
def test_digests_stand_in_the_order_of_the_definitions(text: str) -> None:
    found = KOTLIN.read_digests(text.encode(), ".kt")
    assert [(d.name, d.kind, d.line, d.end_line) for d in found] == [
        (d.name, d.kind, d.line, d.end_line) for d in KOTLIN.read_symbols(text.encode(), ".kt").definitions
    ]


HOSTILE = {
    "nothing": b"",
    "NUL": b"fun m() {\n \0\n f()\n}\n",
    "no UTF-8": b'val s = "\xff\xfe/x"\nfun m() { f() }\n',
    "brackets": b"val x = " + b"(" * 10_000 + b"1" + b")" * 10_000 + b"\nfun m() { f() }\n",
    "open brackets": b"fun m() {" + b"{[(" * 3_000,
    "sum": b"fun m() {\n val x = " + b'"a" + ' * 10_000 + b"f()\n}\n",
    "chain": b"fun m() {\n x" + b".g(1)" * 10_000 + b"\n}\nfun n() { f() }\n",
    "line": b'val s = "' + b"x" * 5_000_000 + b'"\nfun m() { f() }\n',
    "cut": SHOP.encode()[: len(SHOP) // 2],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sources_are_read_as_far_as_they_go(name: str) -> None:
    source = HOSTILE[name]
    symbols = KOTLIN.read_symbols(source, ".kt")
    assert symbols == KOTLIN.read_symbols(source, ".kt")
    assert len(KOTLIN.read_digests(source, ".kt")) == len(symbols.definitions)
    if name in ("brackets", "chain"):
        assert [gap.reason for gap in symbols.gaps] == ["syntax"]
    if name in ("brackets", "sum", "chain", "line", "no UTF-8"):
        assert "call f" in {line for one in symbols.definitions for line in references(symbols, one.name, "call")}
    if name == "cut":
        assert "Shop" in digests(KOTLIN, source.decode())


WORDS = """
class A { } ( ) fun val x . -> :: = when is < > " by @ object enum companion if else for :
this super import a.b ? $ it
"""


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*WORDS.split(), "\n"]), max_size=40))
def test_no_text_is_too_strange(pieces: list[str]) -> None:
    source = " ".join(pieces).encode()
    symbols = KOTLIN.read_symbols(source, ".kt")
    indices = range(len(symbols.definitions))
    assert all(one.parent in indices for one in symbols.definitions[1:])
    assert {one.within for one in symbols.references} <= set(indices)
    assert {one.within for one in symbols.bindings} <= set(indices)
    assert {one.within for one in symbols.gaps} <= set(indices)
    assert len(KOTLIN.read_digests(source, ".kt")) == len(symbols.definitions)
