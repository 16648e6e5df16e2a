"""Java: a text with every construct, and exactly what the reader says of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reach.symbol_lines import bindings, changed, definitions, digests, read, references
from tidegate.reach.languages.java import JAVA

SHOP = """\
package com.acme.shop;

import com.acme.base.Entity;
import com.acme.base.Outer.Inner;
import com.acme.util.*;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import static com.acme.base.Checks.notNull;
import static com.acme.base.Names.*;

@Service("shop")
public class Shop extends Base<Order> implements Closeable, Inner {
    private final Repository repository;
    private List<Order> orders = new ArrayList<>();
    Map<String, Order> byName, other[];
    static final int LIMIT = 5;
    static final Pattern NAME = Pattern.compile("a.b");

    static { register(Shop.class); }
    { LIMITS.add(this); }

    @Autowired
    public Shop(Repository repository, @Qualifier("x") Order... first) {
        this.repository = repository;
    }

    Shop() { this(new FileRepository("data/orders.csv")); }

    @Override
    @GetMapping(path = "/orders/{id}", produces = {"a", "b"})
    public Order find(int id) throws NotFound {
        notNull(id);
        Order found = repository.load(id).orElseThrow(() -> new NotFound("no " + id + " here"));
        if (found instanceof Special special) {
            return special.order();
        }
        for (Order order : orders) {
            order.check();
        }
        try (Session session = Session.open(); other) {
            session.use(found);
        } catch (IOException | SqlException e) {
            log(e.getMessage());
        }
        return found;
    }

    <T extends Item> T first(List<T> items, Optional<Order> order) {
        T item = items.get(0);
        item.touch();
        order.get().ship();
        order.map(Order::owner).ifPresent(owner -> owner.tell());
        items.stream().filter(i -> i.open()).map(i -> i.parent()).forEach(p -> p.close());
        byName.values().iterator().next().ship();
        var made = new Order[] {null};
        made[0].ship();
        ((Special) item).order();
        Object log = log(null);
        return item;
    }

    void log(String text) {
        Runnable task = new Runnable() {
            @Override public void run() { log(text); run(); helper(); }
        };
        queue.add(this::close);
        queue.add(Order::new);
        super.log(text);
        Shop.this.orders.clear();
        com.acme.base.Tools.run();
        LIMIT++;
        repository.count = 3;
        switch (found.state()) {
            case OPEN -> open();
            default -> { }
        }
    }

    class Cursor { void next() { find(1); } }
}
"""

KINDS = """\
enum Color implements Named {
    RED(1), GREEN(2) { int code() { return helper(); } };
    private final int code;
    Color(int code) { this.code = code; }
    int code() { return code; }
    static int helper() { return 1; }
}

record Point(@NotNull Axis axis, int y) implements Shape {
    Point { check(axis); }
    static Point of(Axis axis) { return new Point(axis, 1); }
}

@interface Route {
    String value() default "/";
    int LIMIT = 4;
}

interface Greeter {
    String name();
    default String greet() { return name(); }
}
"""

TESTS = """\
import org.junit.jupiter.api.*;

class ShopTest extends ShopFixture {
    private final Shop shop = new Shop();

    @BeforeEach void open() { shop.open(); }

    @Test void sells() { shop.sell(); }

    @ParameterizedTest @ValueSource(ints = {1, 2}) void counts(int n) { shop.count(n); }

    void helper() { }

    @Nested class Closed {
        @BeforeEach void close() { shop.close(); }
        @Test void refuses() { shop.sell(); }
    }
}

class OldTest extends junit.framework.TestCase {
    protected void setUp() { }
    public void testOne() { one(); }
}

@Test
class Ng {
    public void any() { }
    @BeforeMethod public void before() { }
}
"""


def test_classes_definitions() -> None:
    assert definitions(read(JAVA, SHOP)) == [
        "12-81 public class Shop : Base, Inner @Service",
        "14-14 private variable Shop.repository",
        "15-15 private variable Shop.orders",
        "16-16 private variable Shop.byName",
        "16-16 private variable Shop.other",
        "17-17 private constant Shop.LIMIT [static]",
        "18-18 private constant Shop.NAME [static]",
        "20-20 private method Shop.<clinit> [static]",
        "21-21 private method Shop.<clinit>",
        "23-26 public method Shop.<init>(repository: Repository!, *first: Order!) @Autowired",
        "28-28 private method Shop.<init>",
        "30-47 public method Shop.find(id: %int) -> Order! @Override @GetMapping",
        "49-61 private method Shop.first(items: Item!*, order: Order!*) -> Item!",
        "63-78 private method Shop.log(text: %str)",
        "64-66 private class Shop.log.Runnable$1 [anonymous]",
        "65-65 public method Shop.log.Runnable$1.run @Override",
        "80-80 private class Shop.Cursor",
        "80-80 private method Shop.Cursor.next",
    ]


def test_classes_bindings() -> None:
    assert bindings(read(JAVA, SHOP)) == [
        "-: Entity = <com.acme.base>.Entity (import)",
        "-: Inner = <com.acme.base>.Outer.Inner (import)",
        "-: * = <com.acme.util>.* (import)",
        "-: List = <java.util>.List (import)",
        "-: Map = <java.util>.Map (import)",
        "-: Optional = <java.util>.Optional (import)",
        "-: notNull = <com.acme.base>.Checks.notNull (import)",
        "-: * = <com.acme.base>.Names.* (import)",
        "Shop: repository = Repository! (annotation)",
        "Shop: orders = Order!* (annotation)",
        "Shop: byName = Order!* (annotation)",
        "Shop: other = Order!** (annotation)",
        "Shop: LIMIT = %int (annotation)",
        "Shop: NAME = Pattern! (annotation)",
        "-: Override = <java.lang>.Override (import)",
        "Shop.find: found = Order! (annotation)",
        "Shop.find: special = Special! (narrow)",
        "Shop.find: order = Order! (annotation)",
        "Shop.find: session = Session! (annotation)",
        "Shop.find: e = IOException! (annotation)",
        "Shop.find: e = SqlException! (annotation)",
        "Shop.first: item = Item! (annotation)",
        "Shop.first: owner = order[].owner()*[] (assign)",
        "Shop.first: i = items[] (assign)",
        "Shop.first: i = items[] (assign)",
        "Shop.first: p = i.parent()*[] (assign)",
        "Shop.first: made = Order!* (assign)",
        "Shop.first: log = self.log() (assign)",
        "-: Runnable = <java.lang>.Runnable (import)",
        "Shop.log: task = Runnable$1() (assign)",
    ]


def test_classes_references() -> None:
    symbols = read(JAVA, SHOP)
    found = {one.name: references(symbols, one.name) for one in symbols.definitions}
    assert {name: lines for name, lines in found.items() if lines} == {
        "": [
            "import <com.acme.base>.Entity",
            "import <com.acme.base>.Outer.Inner",
            "import <com.acme.util>",
            "import <java.util>.List",
            "import <java.util>.Map",
            "import <java.util>.Optional",
            "import <com.acme.base>.Checks.notNull",
            "import <com.acme.base>.Names",
        ],
        "Shop": [
            'decorate Service("shop")',
            "call Base",
            "inherit Base",
            "type Order",
            "inherit Closeable",
            "inherit Inner",
            "read Shop.orders",
            "read Shop.NAME",
            "call Shop.<clinit>",
        ],
        "Shop.repository": [
            "type Repository",
        ],
        "Shop.orders": [
            "type Order",
            "type List",
            "call ArrayList",
        ],
        "Shop.byName": [
            "type Order",
            "type Map",
        ],
        "Shop.LIMIT": [
            "call Shop.<clinit>",
        ],
        "Shop.NAME": [
            "type Pattern",
            "read Pattern",
            'call Pattern.compile("a.b")',
            "call Shop.<clinit>",
        ],
        "Shop.<clinit>": [
            "pass Shop",
            "call register(Shop)",
            "read LIMITS",
            "call LIMITS.add()",
        ],
        "Shop.<init>": [
            "decorate Autowired",
            "type Repository",
            "type Order",
            "type Qualifier",
            "write self.repository",
            "call super.<init>",
            'call FileRepository("data/orders.csv")',
            "call self.<init>(FileRepository())",
        ],
        "Shop.find": [
            'decorate GetMapping(path="/orders/{id}", produces="a", produces="b")',
            "type Order",
            "type NotFound",
            "override super.find",
            "call notNull(id)",
            "read repository",
            "call repository.load(id)",
            'call NotFound("no {} here")',
            "call repository.load().orElseThrow()",
            "type Special",
            "call special.order",
            "read orders",
            "call order.check",
            "type Session",
            "read Session",
            "call Session.open",
            "call session.close",
            "read other",
            "call other.close",
            "call session.use(found)",
            "type IOException",
            "type SqlException",
            "call e.getMessage",
            "call self.log(e.getMessage())",
        ],
        "Shop.first": [
            "type Item",
            "type List",
            "type Order",
            "type Optional",
            "call items.get()",
            "call item.touch",
            "call order.get",
            "call order[].ship",
            "read Order",
            "pass Order.owner",
            "call order.map(Order.owner)",
            "call owner.tell",
            "call order[].owner()*.ifPresent()",
            "call items.stream",
            "call i.open",
            "call items.filter()",
            "call i.parent",
            "call items.map()",
            "call p.close",
            "call i.parent()*.forEach()",
            "read byName",
            "call byName.values",
            "call byName.iterator",
            "call byName.next",
            "call byName[].ship",
            "call made[].ship",
            "type Special",
            "call Special!.order",
            "call self.log()",
        ],
        "Shop.log": [
            "type Runnable",
            "call Runnable$1",
            "read queue",
            "pass self.close",
            "call queue.add()",
            "read Order",
            "pass Order",
            "call queue.add()",
            "call super.log(text)",
            "read Shop",
            "read Shop!.orders",
            "call Shop!.orders.clear",
            "read <com.acme.base>.Tools",
            "call <com.acme.base>.Tools.run",
            "write LIMIT",
            "read repository",
            "write repository.count",
            "read found",
            "call found.state",
            "read found.state().OPEN",
            "call open",
        ],
        "Shop.log.Runnable$1": [
            "pass Runnable$1!.run",
            "inherit Runnable",
        ],
        "Shop.log.Runnable$1.run": [
            "override super.run",
            "call Shop!.log(text)",
            "call self.run",
            "call helper",
        ],
        "Shop.Cursor.next": [
            "call Shop!.find()",
        ],
    }


def test_enums_records_and_annotations_definitions() -> None:
    assert definitions(read(JAVA, KINDS)) == [
        "1-7 private class Color : Named",
        "2-2 public constant Color.RED [static]",
        "2-2 public constant Color.GREEN [static]",
        "2-2 private class Color.GREEN.Color$1 : Color [anonymous]",
        "2-2 private method Color.GREEN.Color$1.code -> %int",
        "3-3 private variable Color.code",
        "4-4 private method Color.<init>(code: %int)",
        "5-5 private method Color.code -> %int",
        "6-6 private method Color.helper -> %int [static]",
        "9-12 private class Point : Shape",
        "9-9 public method Point.axis -> Axis! @NotNull",
        "9-9 public method Point.y -> %int",
        "10-10 private method Point.<init>(axis: Axis!, y: %int)",
        "11-11 private method Point.of(axis: Axis!) -> Point! [static]",
        "14-17 private interface Route",
        "15-15 public method Route.value -> %str",
        "16-16 public constant Route.LIMIT",
        "19-22 private interface Greeter",
        "20-20 public method Greeter.name -> %str [abstract]",
        "21-21 public method Greeter.greet -> %str",
    ]


def test_enums_records_and_annotations_bindings() -> None:
    assert bindings(read(JAVA, KINDS)) == [
        "Color: values = Color!*.values (annotation)",
        "Color: valueOf = Color!*.get (annotation)",
        "Color: RED = Color() (assign in Color.RED)",
        "Color: GREEN = Color$1() (assign in Color.GREEN)",
        "Color: code = %int (annotation)",
        "Point: axis = Axis! (annotation)",
        "Point: y = %int (annotation)",
        "Route: LIMIT = %int (annotation)",
    ]


def test_enums_records_and_annotations_references() -> None:
    symbols = read(JAVA, KINDS)
    found = {one.name: references(symbols, one.name) for one in symbols.definitions}
    assert {name: lines for name, lines in found.items() if lines} == {
        "Color": [
            "inherit Named",
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
            "call Color",
            "inherit Color",
        ],
        "Color.GREEN.Color$1.code": [
            "call Color.helper",
        ],
        "Color.code": [
            "read code",
        ],
        "Color.<init>": [
            "write self.code",
            "call super.<init>",
        ],
        "Point": [
            "inherit Shape",
        ],
        "Point.axis": [
            "type Axis",
        ],
        "Point.<init>": [
            "type Axis",
            "type NotNull",
            "call check(axis)",
        ],
        "Point.of": [
            "type Point",
            "type Axis",
            "call Point(axis, )",
        ],
        "Greeter.greet": [
            "call self.name",
        ],
    }


def test_tests_definitions() -> None:
    assert definitions(read(JAVA, TESTS)) == [
        "3-18 private class ShopTest : ShopFixture",
        "4-4 private variable ShopTest.shop",
        "6-6 private method ShopTest.open @BeforeEach",
        "8-8 private method ShopTest.sells @Test [test]",
        "10-10 private method ShopTest.counts(n: %int) @ParameterizedTest @ValueSource [test]",
        "12-12 private method ShopTest.helper",
        "14-17 private class ShopTest.Closed @Nested",
        "15-15 private method ShopTest.Closed.close @BeforeEach",
        "16-16 private method ShopTest.Closed.refuses @Test [test]",
        "20-23 private class OldTest : <junit.framework>.TestCase",
        "21-21 public method OldTest.setUp",
        "22-22 public method OldTest.testOne [test]",
        "25-29 private class Ng @Test",
        "27-27 public method Ng.any [test]",
        "28-28 public method Ng.before @BeforeMethod",
    ]


def test_tests_bindings() -> None:
    assert bindings(read(JAVA, TESTS)) == [
        "-: * = <org.junit.jupiter.api>.* (import)",
        "ShopTest: shop = Shop! (annotation)",
        "ShopTest: shop = Shop() (assign in ShopTest.shop)",
    ]


def test_tests_references() -> None:
    symbols = read(JAVA, TESTS)
    found = {one.name: references(symbols, one.name) for one in symbols.definitions}
    assert {name: lines for name, lines in found.items() if lines} == {
        "": [
            "import <org.junit.jupiter.api>",
        ],
        "ShopTest": [
            "call ShopFixture",
            "inherit ShopFixture",
            "read ShopTest.shop",
            "call ShopTest!.open",
        ],
        "ShopTest.shop": [
            "type Shop",
            "call Shop",
        ],
        "ShopTest.open": [
            "read shop",
            "call shop.open",
        ],
        "ShopTest.sells": [
            "read shop",
            "call shop.sell",
            "call ShopTest",
            "call ShopTest!.open",
        ],
        "ShopTest.counts": [
            "read shop",
            "call shop.count(n)",
            "call ShopTest",
            "call ShopTest!.open",
        ],
        "ShopTest.Closed": [
            "call Closed!.close",
        ],
        "ShopTest.Closed.close": [
            "read shop",
            "call shop.close",
        ],
        "ShopTest.Closed.refuses": [
            "read shop",
            "call shop.sell",
            "call Closed",
            "call Closed!.close",
            "call ShopTest",
            "call ShopTest!.open",
        ],
        "OldTest": [
            "call <junit.framework>.TestCase",
            "inherit <junit.framework>.TestCase",
            "call OldTest!.setUp",
        ],
        "OldTest.testOne": [
            "call one",
            "call OldTest",
            "call OldTest!.setUp",
        ],
        "Ng": [
            "call Ng!.before",
        ],
        "Ng.any": [
            "call Ng",
            "call Ng!.before",
        ],
    }


def calls(body: str) -> list[str]:
    """The references of a method with this body."""
    return references(read(JAVA, f"class A {{ void m() {{ {body} }} }}"), "A.m")


def test_a_static_method_is_of_the_class_and_needs_no_instance() -> None:
    symbols = read(
        JAVA,
        """
        class A {
            static void s() { }
            void i() { }
            void m() { s(); i(); }
            class B { void n() { s(); i(); } }
        }
        """,
    )
    assert references(symbols, "A.m") == ["call cls.s", "call self.i"]
    assert references(symbols, "A.B.n") == ["call A.s", "call A!.i"]


def test_a_test_calls_what_gives_it_arguments() -> None:
    symbols = read(
        JAVA,
        """
        class ATest {
            static Stream<Arguments> cases() { }
            @ParameterizedTest @MethodSource("cases") void one(int x) { }
            @ParameterizedTest @MethodSource void two(int x) { }
            @ParameterizedTest @MethodSource("com.acme.Cases#all") void three(int x) { }
            @Test(dataProvider = "rows") void four(int x) { }
        }
        """,
    )
    assert [references(symbols, f"ATest.{name}")[0] for name in ("one", "two", "three", "four")] == [
        "call ATest.cases",
        "call ATest.two",
        "call <com.acme>.Cases.all",
        "call ATest.rows",
    ]


def test_a_class_hands_over_what_the_platform_calls() -> None:
    symbols = read(
        JAVA,
        """
        import com.other.Closeable;
        class A extends B implements Comparable<A>, Runnable, Closeable {
            public int compareTo(A other) { return 0; }
            public void run() { }
            public void close() { }
            public String toString() { return ""; }
            Runnable task = new Runnable() { public void run() { } };
        }
        abstract class C implements Iterator<A> { }
        """,
    )
    found = {one.name: one.bases for one in symbols.definitions if one.kind == "class"}
    assert found == {"A": ("B", "Closeable"), "A.task.Runnable$1": (), "C": ("Iterator",)}
    assert references(symbols, "A", "pass") == ["pass A!.compareTo", "pass A!.run", "pass A!.toString"]
    assert references(symbols, "A.task.Runnable$1") == ["pass Runnable$1!.run", "inherit Runnable"]
    assert references(symbols, "A", "call") == ["call B"]


def test_what_is_stored_compared_or_printed_is_handed_to_nobody() -> None:
    assert calls('list.add(this); assertEquals("a.b", this.x()); route("/a", this);') == [
        "read list",
        "call list.add()",
        "call self.x",
        'call assertEquals("a.b", )',
        'call route("/a", self)',
    ]


def test_an_instance_that_comes_from_outside_exists() -> None:
    assert "pass Foo" in calls("Foo foo = (Foo) type.newInstance();")
    assert "pass Color" in calls("Color c = Color.valueOf(name);")
    assert "pass Foo" not in calls("Foo foo = (Foo) other();")


def test_reading_a_static_field_runs_the_static_initialiser() -> None:
    symbols = read(JAVA, "class A { static final A ONE; int own; static { ONE = make(); } }")
    assert references(symbols, "A.ONE") == ["type A", "call A.<clinit>"]
    assert references(symbols, "A.own") == []


def test_a_field_is_bound_to_what_says_more_than_its_type() -> None:
    symbols = read(
        JAVA,
        """
        class A {
            Shape shape = new Circle();
            Shape other;
            A(Shape other) { this.other = other; shape = shape.next(); shape = new Square(); }
        }
        """,
    )
    assert bindings(symbols) == [
        "A: shape = Shape! (annotation)",
        "A: shape = Circle() (assign in A.shape)",
        "A: other = Shape! (annotation)",
        "A: shape = Square() (assign in A.<init>)",
    ]


def test_reflection_is_read_where_it_names_a_literal_and_said_where_not() -> None:
    symbols = read(
        JAVA,
        """
        import java.lang.reflect.Method;
        class A {
            void m(String name, Object other) {
                Class.forName("com.acme.Outer$Inner");
                Plugin.class.getMethod("start");
                Class.forName(name);
                other.getClass().getMethod(name).invoke(other);
            }
        }
        """,
    )
    assert "pass <com.acme>.Outer.Inner" in references(symbols, "A.m", "pass")
    assert "read Plugin.start" in references(symbols, "A.m", "read")
    assert [(gap.reason, gap.line) for gap in symbols.gaps] == [("reflection", 7), ("reflection", 8)]


def test_invoke_of_an_own_class_is_no_reflection() -> None:
    assert read(JAVA, "class A { void m(Command c) { c.invoke(1); } }").gaps == ()


def test_functions_of_a_kotlin_file_are_members_of_its_package() -> None:
    symbols = read(
        JAVA,
        """
        package com.acme;
        import com.other.TextKt;
        import static com.third.ListsKt.sum;
        class A { void m() { ToolsKt.help(); TextKt.trim(); } }
        """,
    )
    assert bindings(symbols) == [
        "-: TextKt = <com.other> (import)",
        "-: sum = <com.third>.sum (import)",
        "-: ToolsKt = <com.acme> (import)",
    ]


def test_a_local_variable_does_not_hide_a_method_of_its_name() -> None:
    assert calls("String run = run(); run();") == ["call self.run", "call self.run"]


def test_names_of_the_language_are_bound_to_it() -> None:
    symbols = read(JAVA, "class A { int m() { return Math.max(Integer.parseInt(x), Foo.y()); } }")
    assert bindings(symbols) == [
        "-: Math = <java.lang>.Math (import)",
        "-: Integer = <java.lang>.Integer (import)",
    ]


def test_a_type_of_the_own_package_that_is_called_like_a_container_is_none() -> None:
    symbols = read(JAVA, "import com.acme.Page; class A { Page<Foo> page; List<Foo> list; java.util.List<Foo> full; }")
    assert bindings(symbols, imports=False) == [
        "A: page = Page! (annotation)",
        "A: list = List! (annotation)",
        "A: full = Foo!* (annotation)",
    ]


def test_references_say_under_which_condition_they_run() -> None:
    symbols = read(
        JAVA,
        """
        class A {
            void m(boolean flag) {
                always();
                for (Foo f : foos()) { loop(); }
                if (flag) { branch(); if (deep()) deeper(); return; } else if (other()) { second(); }
                afterExit();
                try { tried(); } catch (Exception e) { handled(); }
                call(flag && shorted(), flag ? left() : right());
            }
            void n() { always(); }
        }
        """,
    )
    assert {r.chain: r.branch for r in symbols.references if r.kind == "call" and r.within in (2, 3)} == {
        "always": 0,
        "foos": 0,
        "foos().iterator": 0,
        "loop": 1,
        "branch": 3,
        "deep": 3,
        "deeper": 4,
        "other": 3,
        "second": 3,
        "afterExit": 2,
        "tried": 2,
        "handled": 5,
        "shorted": 3,
        "left": 3,
        "right": 3,
        "call": 2,
    }


BASE = """
package a;

/** Sells. */
@Service("x")
class Shop extends Base implements Closeable {
    /** Five. */
    static final int LIMIT = 5, MORE = 6;

    /** Finds. */
    @Get("/a")
    Order find(int id, String name) {
        // why
        return load(id, new Task() { public void run() { go(); } });
    }

    Shop(int id) { super(id); }
    void other() { one(); }
    enum Kind { RED(1), GREEN, }
}
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("// why\n", "/* because\n of */\n", {}),
        ("void other() { one(); }", "void other()\n{\n\n   one();\n}", {}),
        ("GREEN, }", "GREEN }", {}),
        ("/** Finds. */", "/** Finds one. */", {"Shop.find": ["docs"]}),
        ("/** Finds. */", "/**\n     * Finds.\n     */", {}),
        ("/** Sells. */", "", {"Shop": ["docs"]}),
        ("one();", "two();", {"Shop.other": ["body"]}),
        ("go();", "stop();", {"Shop.find.Task$1.run": ["body"]}),
        (
            "new Task()",
            "new Chore()",
            {
                "Shop.find": ["body"],
                "Shop.find.Task$1": ["gone"],
                "Shop.find.Task$1.run": ["gone"],
                "Shop.find.Chore$1": ["new"],
                "Shop.find.Chore$1.run": ["new"],
            },
        ),
        ("int id, String name", "long id, String name", {"Shop.find": ["signature"]}),
        ("Order find", "private Order find", {"Shop.find": ["signature"]}),
        ('@Get("/a")', '@Get("/b")', {"Shop.find": ["decorators"]}),
        ("extends Base", "extends Other", {"Shop": ["bases"]}),
        ("LIMIT = 5", "LIMIT = 7", {"Shop.LIMIT": ["body"]}),
        ("static final int", "static final long", {"Shop.LIMIT": ["signature"], "Shop.MORE": ["signature"]}),
        ("super(id)", "super(1)", {"Shop.<init>": ["body"]}),
        ("RED(1)", "RED(2)", {"Shop.Kind.RED": ["body"]}),
        ("void other", "void another", {"Shop.other": ["gone"], "Shop.another": ["new"]}),
        ("package a;", "package b;", {"": ["body"]}),
    ],
)
def test_digests_move_with_their_part_alone(old: str, new: str, expected: dict[str, list[str]]) -> None:
    assert old in BASE
    assert changed(JAVA, BASE, BASE.replace(old, new)) == expected


def test_an_annotation_s_default_is_a_default() -> None:
    before = '@interface A { String value() default "x"; }'
    assert changed(JAVA, before, before.replace("x", "y")) == {"A.value": ["defaults"]}


def test_a_component_is_of_the_record_and_of_itself() -> None:
    before = "record P(int x, @A String y) { }"
    assert changed(JAVA, before, before.replace("int x", "long x")) == {"P": ["signature"], "P.x": ["signature"]}


@pytest.mark.parametrize("text", [SHOP, KINDS, TESTS, BASE])
def test_digests_stand_in_the_order_of_the_definitions(text: str) -> None:
    found = JAVA.read_digests(text.encode(), ".java")
    assert [(d.name, d.kind, d.line, d.end_line) for d in found] == [
        (d.name, d.kind, d.line, d.end_line) for d in JAVA.read_symbols(text.encode(), ".java").definitions
    ]


HOSTILE = {
    "nothing": b"",
    "NUL": b"class A { void m() { \0 f(); } }",
    "no UTF-8": b'class A { String s = "\xff\xfe/x"; void \xffm() { f(); } }',
    "brackets": b"class A { int x = " + b"(" * 10_000 + b"1" + b")" * 10_000 + b"; void m() { f(); } }",
    "open brackets": b"class A { void m() { " + b"{[(" * 3_000,
    "blocks": b"class A { void m() { " + b"{" * 5_000 + b"}" * 5_000 + b" } void n() { f(); } }",
    "sum": b"class A { void m() { x = " + b'"a" + ' * 10_000 + b"f(); } }",
    "chain": b"class A { void m() { x" + b".f(1)" * 10_000 + b"; } void n() { f(); } }",
    "else if": b"class A { void m() { " + b"if (a()) b(); else " * 3_000 + b"c(); } }",
    "classes": b"class A { " * 2_000 + b"}" * 2_000,
    "line": b'class A { String s = "' + b"x" * 5_000_000 + b'"; void m() { f(); } }',
    "cut": SHOP.encode()[: len(SHOP) // 2],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sources_are_read_as_far_as_they_go(name: str) -> None:
    source = HOSTILE[name]
    symbols = JAVA.read_symbols(source, ".java")
    assert symbols == JAVA.read_symbols(source, ".java")
    assert len(JAVA.read_digests(source, ".java")) == len(symbols.definitions)
    if name in ("blocks", "chain"):
        assert [gap.reason for gap in symbols.gaps] == ["syntax"]
    if name in ("brackets", "sum", "chain", "line", "no UTF-8", "blocks", "NUL"):
        assert "call f" in {line for one in symbols.definitions for line in references(symbols, one.name, "call")}
    if name == "else if":
        assert "call c" in references(symbols, "A.m")
    if name == "cut":
        assert "Shop.find" in digests(JAVA, source.decode())


def test_a_syntax_error_keeps_the_rest() -> None:
    symbols = read(JAVA, "class A { void m() { int = ; f(); } void n() { g(); } } class B { }")
    assert [one.name for one in symbols.definitions] == ["", "A", "A.m", "A.n", "B"]
    assert references(symbols, "A.n") == ["call g"]
    assert {gap.reason for gap in symbols.gaps} == {"syntax"}


WORDS = """
class A { } ( ) ; new x . -> :: = switch case < > " @ @interface enum record if else for :
this super import a.b ? // /*
"""


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*WORDS.split(), "\n"]), max_size=40))
def test_no_text_is_too_strange(pieces: list[str]) -> None:
    source = " ".join(pieces).encode()
    symbols = JAVA.read_symbols(source, ".java")
    indices = range(len(symbols.definitions))
    assert all(one.parent in indices for one in symbols.definitions[1:])
    assert {one.within for one in symbols.references} <= set(indices)
    assert {one.within for one in symbols.bindings} <= set(indices)
    assert {one.within for one in symbols.gaps} <= set(indices)
    assert len(JAVA.read_digests(source, ".java")) == len(symbols.definitions)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, SHOP.count("\n")), st.sampled_from(["  ", "\n", " /* c */ ", "\t", " // c\n"]))
def test_blanks_between_tokens_change_no_digest(line: int, blank: str) -> None:
    lines = SHOP.split("\n")
    if '"' not in lines[line]:
        lines[line] = lines[line].replace(" ", blank)
    assert changed(JAVA, SHOP, "\n".join(lines)) == {}
