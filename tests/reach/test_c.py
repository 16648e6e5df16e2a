"""C and C++: a text with every construct, and exactly what the reader says of it."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reach.symbol_lines import bindings, changed, definitions, read, references
from tidegate.reach.languages.c import CPP, C
from tidegate.reach.languages.c_layout import CLayout


def said(source: str) -> dict[str, list[str]]:
    symbols = read(CPP, source)
    names = dict.fromkeys(one.name for one in symbols.definitions)
    return {name: lines for name in names if (lines := references(symbols, name))}


SHOP = """\
#include "shop/cart.h"
#include <vector>
#include <boost/optional.hpp>

#define LIMIT 10
#define TWICE(x) (grow(x) + LIMIT)
#define GUARD

using std::string;
using shop::base::Gate;

namespace shop {
namespace {

extern int open_carts;
static const int kMost = LIMIT;
enum class Color : int { kRed = 1, kBlue };
enum { kFirst, kSecond = kMost };
typedef struct { int x; struct Line* next; } Point;
typedef int (*Handler)(int, char*);
using Lines = std::vector<Line>;

// A cart.
template <typename T>
class Cart : public Base<T>, private Other {
 public:
  Cart(int size, const Gate& gate = kGate) : Base<T>(size), gate_(gate), size_(twice(size)) { init(); }
  Cart(const Cart&) = delete;
  virtual ~Cart() {}
  virtual int get(const T& key, int k = 3) const = 0;
  int over() override { return size_; }
  static Cart* Make(int);
  template <class U> U as(U value);
  bool operator==(const Cart& other) const { return size_ == other.size_; }
  T& operator[](int at);

 private:
  friend class Inspector;
  int size_ = 1;
  std::vector<Line*> lines_;
  std::map<int, Item> items_;
  std::unique_ptr<Gate> gate_;
  Line rows_[5];
  struct { int a; } inner_;
};

}  // namespace

int Shop::sell(Gate* gate, Options options) {
  gate->Open(1, "config/gate.yml");
  Line line(1);
  Line other{2};
  auto made = new Line(3);
  auto* next = line.next();
  for (const auto& row : rows_) row.print();
  Handler handler = &on_sell;
  std::sort(lines_.begin(), lines_.end(), compare);
  table[0].run(1);
  this->size_ = 3;
  auto later = [&, n = 1](int q) { made->wrap(q); };
  auto kept = std::make_unique<Line>(4);
  Line* cast = static_cast<Line*>(raw);
  ((Line*)raw)->close();
  if (auto* special = dynamic_cast<Special*>(gate)) special->Show();
  try { shop::util::check<int>(3); } catch (const Failure& failure) { failure.what(); }
  auto [first, second] = pair();
  gate = options.gate;
  TWICE(2);
  return Color::kRed == Shop::kind ? later(1) : kept->total();
}

Shop::Shop(int a) : Base(a), gate_(a) {}
char* Shop::operator[](int at) { return 0; }
int Shop::count = 0;
static int add(int a, ...) { return dlsym(a, "f"); }
template <> int twice<int>(int a) { return a; }
const Gate& gate();
void (*set_handler(int sig, void (*func)(int)))(int);

}  // namespace shop

struct Command { const char* name; Handler run; };
static struct Command table[] = { {"get", get_command}, {.name = "set", .run = set_command} };
int x, *y = &x, z[3];
extern "C" { int c_function(void); }

TEST(Suite, Name) { EXPECT_EQ(1, add(2)); }
TEST_F(ShopTest, Sells) { shop_.sell(nullptr, {}); }
TEST_CASE("adds two. Numbers", "[add]") { add(1); }
"""


def test_definitions() -> None:
    assert definitions(read(CPP, SHOP)) == [
        "5-5 public constant LIMIT",
        "6-6 public function TWICE(x: )",
        "15-15 public variable open_carts [abstract]",
        "16-16 private constant kMost",
        "17-17 public class Color",
        "17-17 public constant Color.kRed",
        "17-17 public constant Color.kBlue",
        "18-18 public constant kFirst",
        "18-18 public constant kSecond",
        "19-19 public class Point",
        "19-19 public variable Point.x",
        "19-19 public variable Point.next",
        "20-20 public type Handler",
        "21-21 public type Lines",
        "25-45 public class Cart : Base, Other",
        "27-27 public method Cart.Cart(size: %int, gate: Gate! = kGate)",
        "28-28 public method Cart.Cart(: Cart!) [abstract]",
        "29-29 public method Cart.~Cart",
        "30-30 public method Cart.get(key: , k: %int = %int) -> %int [abstract]",
        "31-31 public method Cart.over -> %int",
        "32-32 public method Cart.Make(: %int) -> Cart! [abstract static]",
        "33-33 public method Cart.as(value: ) [abstract]",
        "34-34 public method Cart.operator==(other: Cart!) -> %bool",
        "35-35 public method Cart.operator［］(at: %int) [abstract]",
        "39-39 private variable Cart.size_",
        "40-40 private variable Cart.lines_",
        "41-41 private variable Cart.items_",
        "42-42 private variable Cart.gate_",
        "43-43 private variable Cart.rows_",
        "44-44 private class Cart.inner__t",
        "44-44 public variable Cart.inner__t.a",
        "44-44 private variable Cart.inner_",
        "49-70 public class Shop",
        "49-70 public method Shop.sell(gate: Gate!, options: Options!) -> %int",
        "72-72 public method Shop.Shop(a: %int)",
        "73-73 public method Shop.operator［］(at: %int) -> %str",
        "74-74 public variable Shop.count",
        "75-75 private function add(a: %int) -> %int",
        "76-76 public function twice(a: %int) -> %int",
        "77-77 public function gate -> Gate! [abstract]",
        "78-78 public function set_handler(sig: %int, func: %func) [abstract]",
        "82-82 public class Command",
        "82-82 public variable Command.name",
        "82-82 public variable Command.run",
        "83-83 private variable table",
        "84-84 public variable x",
        "84-84 public variable y",
        "84-84 public variable z",
        "85-85 public function c_function -> %int [abstract]",
        "87-87 public function Suite.Name [test]",
        "88-88 public class ShopTest",
        "88-88 public method ShopTest.Sells [test]",
        "89-89 public function adds two․ Numbers [test]",
    ]


def test_bindings() -> None:
    assert bindings(read(CPP, SHOP)) == [
        "-: * = <./shop/cart.h>.* (import)",
        "-: * = <boost/optional.hpp>.* (import)",
        "-: string = <std>.string (import)",
        "Point: next = Line! (annotation)",
        "Cart: lines_ = Line!* (annotation)",
        "Cart: items_ = Item!* (annotation)",
        "Cart: gate_ = Gate! (annotation)",
        "Cart: rows_ = Line!* (annotation)",
        "Cart: inner_ = inner__t! (annotation)",
        "Shop.sell: line = Line! (annotation)",
        "Shop.sell: other = Line! (annotation)",
        "Shop.sell: made = Line() (assign)",
        "Shop.sell: next = line.next() (assign)",
        "Shop.sell: row = rows_[] (assign)",
        "Shop.sell: handler = Handler! (annotation)",
        "Shop.sell: later = %func (assign)",
        "Shop.sell: kept = Line() (assign)",
        "Shop.sell: cast = Line! (annotation)",
        "Shop.sell: special = Special! (assign)",
        "Shop.sell: failure = Failure! (annotation)",
        "Command: run = Handler! (annotation)",
        "-: table = Command!* (annotation)",
    ]


def test_references() -> None:
    assert said(SHOP) == {
        "": [
            "import <./shop/cart.h>",
            "import <vector>",
            "import <boost/optional.hpp>",
            "type Line",
            "type Gate",
            "type Command",
        ],
        "TWICE": ["call grow", "read LIMIT"],
        "kMost": ["pass LIMIT"],
        "kSecond": ["pass kMost"],
        "Point": ["type Line"],
        "Cart": [
            "inherit Base",
            "inherit Other",
            "call self.Cart",
            "call self.Cart",
            "pass self.~Cart",
            "type Cart",
            "pass self.operator==",
            "pass self.operator［］",
            "type Inspector",
            "type Line",
            "type Item",
            "type Gate",
        ],
        "Cart.Cart": [
            "type Gate",
            "pass kGate",
            "call Base(size)",
            "write self.gate_",
            "call twice(size)",
            "write self.size_",
            "call init",
            "type Cart",
        ],
        "Cart.over": ["pass size_"],
        "Cart.operator==": ["type Cart", "read size_", "read other.size_"],
        "Shop": ["call self.Shop", "pass self.operator［］"],
        "Shop.sell": [
            "type Gate",
            "type Options",
            'call gate.Open(%int, "config/gate.yml")',
            "type Line",
            "call Line(%int)",
            "call Line(%int)",
            "call Line(%int)",
            "call line.next",
            "read rows_",
            "call row.print",
            "type Handler",
            "pass on_sell",
            "read lines_",
            "call lines_.begin",
            "call lines_.end",
            "pass compare",
            "call <std>.sort(lines_.begin(), lines_.end(), compare)",
            "read table",
            "call table[].run(%int)",
            "write self.size_",
            "call made.wrap(q)",
            "call Line(%int)",
            "pass raw",
            "call Line!.close",
            "type Special",
            "call special.Show",
            "call check(%int)",
            "type Failure",
            "call failure.what",
            "call pair",
            "pass options.gate",
            "call TWICE(%int)",
            "read Color.kRed",
            "read Shop.kind",
            "call later(%int)",
            "call kept.total",
        ],
        "Shop.Shop": ["call Base(a)", "write self.gate_"],
        "add": ['call dlsym(a, "f")'],
        "Command": ["type Handler"],
        "table": ["pass get_command", "pass set_command"],
        "y": ["pass x"],
        "Suite.Name": ["call add(%int)", "call EXPECT_EQ(%int, add())"],
        "ShopTest.Sells": [
            "call self.SetUp",
            "call self.TearDown",
            "call ShopTest",
            "read shop_",
            "call shop_.sell(, )",
        ],
        "adds two․ Numbers": ["call add(%int)"],
    }


def test_texts_gaps_and_package() -> None:
    symbols = read(CPP, SHOP)
    assert [(text.value, text.line) for text in symbols.texts] == [("config/gate.yml", 50)]
    assert [(gap.reason, gap.line) for gap in symbols.gaps] == [("reflection", 75)]
    assert symbols.package == "shop"


def test_c_is_read_by_its_own_grammar() -> None:
    source = """
    struct item { int class; struct item *next; };
    typedef struct item item_t;
    static int new(item_t *this, int (*visit)(item_t *)) {
        for (item_t *at = this; at; at = at->next) { visit(at); at->class++; }
        this->next = find(this)->next;
        return new(this->next, visit);
    }
    """
    symbols = C.read_symbols(source.encode(), ".c")
    assert definitions(symbols) == [
        "2-2 public class item",
        "2-2 public variable item.class",
        "2-2 public variable item.next",
        "3-3 public type item_t",
        "4-8 private function new(this: item_t!, visit: %func) -> %int",
    ]
    assert "-: item_t = item (assign)" in bindings(symbols)
    assert references(symbols, "new") == [
        "type item_t",
        "pass at.next",
        "call visit(at)",
        "read at.class",
        "call find(this)",
        "pass find().next",
        "write this.next",
        "pass this.next",
        "call new(this.next, visit)",
    ]
    assert symbols.gaps == ()


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (b"namespace a {\nclass B {\n void c();\n};\n}\n", ["", "B", "B.c"]),
        (b"template <typename T>\nstruct B { T c() const; };\n", ["", "B", "B.c"]),
        (b'#ifdef __cplusplus\nextern "C" {\n#endif\nint class(int new);\n', ["", "class"]),
    ],
)
def test_a_header_is_c_or_cpp_by_what_it_holds(header: bytes, names: list[str]) -> None:
    symbols = C.read_symbols(header, ".h")
    assert [one.name for one in symbols.definitions] == names
    assert symbols == CPP.read_symbols(header, ".h")


def test_members_of_classes_in_lower_case_are_no_functions_of_a_namespace() -> None:
    source = """
    namespace util { class string_pool { void put(); }; }
    void util::string_pool::put() { util::check(); string_pool::grow(); other::string_pool x; }
    void elsewhere::take() {}
    """
    symbols = read(CPP, source)
    assert [one.name for one in symbols.definitions[1:]] == [
        "string_pool",
        "string_pool.put",
        "string_pool.put",
        "elsewhere",
        "elsewhere.take",
    ]
    assert references(symbols, "string_pool.put") == [
        "call check",
        "read string_pool",
        "call string_pool.grow",
        "type string_pool",
        "call string_pool",
    ]


def test_conditional_code_is_read_on_both_sides() -> None:
    source = """
    #if defined(A) && A > 1
    int one(void) { return two(); }
    #elif B
    int one(void) { return three(); }
    #else
    int four;
    #endif
    """
    assert [one.name for one in C.read_symbols(source.encode(), ".c").definitions[1:]] == ["one", "one", "four"]


def test_conditions_in_the_middle_of_a_head_break_nothing_behind_it() -> None:
    source = """
    namespace a {
    class Limiter {
     public:
      Limiter(int most)
          :
    #if !defined(NDEBUG)
            most_(most),
    #else
            least_(most),
    #endif
            allowed_(most) {
        check(most >= 0);
      }
     private:
      int allowed_;
    };
    class Other : public Base { public: void go() { run(); } };
    void Other::stop() { halt(); }
    }
    """ + "".join(f"int f{number}() {{ return g{number}(); }}\n" for number in range(20))
    symbols = CPP.read_symbols(source.encode(), ".cc")
    names = [one.name for one in symbols.definitions]
    assert names[1:7] == ["Limiter", "Limiter.Limiter", "Limiter.allowed_", "Other", "Other.go", "Other.stop"]
    assert [(gap.reason, gap.line) for gap in symbols.gaps] == [("macro", 10)]
    other = source.replace("least_", "last_")
    before, after = (CPP.read_digests(text.encode(), ".cc") for text in (source, other))
    assert [one.name for one, two in zip(before, after, strict=True) if one != two] == [""]


# Digests

CART = """\
#include <vector>

// A cart.
template <typename T>
class Cart : public Base {
 public:
  // Adds.
  int add(int item, int count = 1) { return put(item) + count; }
  int size_ = 1;
  enum Kind { kOne, kTwo = 2 };
};

static const int kLimit = 10;
#define TWICE(x) ((x) * 2)
int Other::sell(int a) { return a; }
"""


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ("return put(item) + count;", "return  put( item )+ count; /* now */", {}),
        ("// Adds.", "// Adds one.", {"Cart.add": ["docs"]}),
        ("// A cart.", "/* The\n cart. */", {"Cart": ["docs"]}),
        ("put(item)", "take(item)", {"Cart.add": ["body"]}),
        ("count = 1", "count = 2", {"Cart.add": ["defaults"]}),
        ("int add(int item", "int add(long item", {"Cart.add": ["signature"]}),
        ("public Base", "public Other", {"Cart": ["bases"]}),
        ("kLimit = 10", "kLimit = 11", {"kLimit": ["body"]}),
        ("int kLimit", "long kLimit", {"kLimit": ["signature"]}),
        ("static const int", "const int", {"kLimit": ["signature"]}),
        ("size_ = 1", "size_ = 2", {"Cart.size_": ["body"]}),
        ("kTwo = 2", "kTwo = 3", {"Cart.Kind.kTwo": ["body"]}),
        ("(x) * 2", "(x) * 3", {"TWICE": ["body"]}),
        ("sell(int a) { return a; }", "sell(int a) { return 1; }", {"Other.sell": ["body"]}),
        ("<vector>", "<map>", {"": ["body"]}),
        ("int add(", "int put(", {"Cart.add": ["gone"], "Cart.put": ["new"]}),
    ],
)
def test_digests_say_what_changed(before: str, after: str, parts: dict[str, list[str]]) -> None:
    assert before in CART
    assert changed(CPP, CART, CART.replace(before, after)) == parts


def test_digests_are_of_the_definitions_in_their_order() -> None:
    made = read(CPP, SHOP).definitions
    kept = CPP.read_digests(SHOP.encode(), ".cc")
    assert [(one.name, one.kind, one.line, one.end_line) for one in kept] == [
        (one.name, one.kind, one.line, one.end_line) for one in made
    ]


@pytest.mark.parametrize("source", [SHOP, CART])
def test_no_change_is_silent(source: str) -> None:
    """Another word anywhere, besides in a comment, changes what some definition is made of."""

    def made(text: str) -> list[tuple[str, ...]]:
        found = CPP.read_digests(text.encode(), ".cc")
        return [(one.name, one.signature, one.defaults, one.bases, one.body) for one in found]

    whole = made(source)
    words = [found for found in re.finditer(r"\w+", source) if not _in_comment(source, found.start())]
    for found in words[::3]:
        assert made(source[: found.start()] + "zz9" + source[found.end() :]) != whole, found


def _in_comment(source: str, at: int) -> bool:
    return "//" in source[source.rfind("\n", 0, at) + 1 : at]


# Layout


def test_where_includes_lead() -> None:
    paths = ["include/shop/cart.h", "src/cart.cc", "src/main.cc", "src/util.h", "other/util.h", "db/log.h", "db/log.cc",
             "lone.h", "README.md"]  # fmt: skip
    layout = CLayout(paths)
    assert layout.find("./util.h", "src/main.cc") == ("src/util.h",)
    assert layout.find("./../other/util.h", "src/main.cc") == ("other/util.h",)
    assert layout.find("./log.h", "db/x.cc") == ("db/log.h", "db/log.cc")
    assert layout.find("db/log.h", "db/log.cc") == ("db/log.h",)
    assert layout.find("./shop/cart.h", "src/main.cc") == ("include/shop/cart.h", "src/cart.cc")
    assert layout.find("lone.h", "a/b/c.c") == ("lone.h",)
    assert layout.find("vector", "src/main.cc") == ()
    assert layout.find("./../../../etc/passwd", "src/main.cc") == ()
    assert layout.visible("src/main.cc") == ()


# Hostile sources

HOSTILE = {
    "brackets": b"int x = " + b"(" * 10_000 + b")" * 10_000 + b";",
    "open brackets": b"{" * 10_000,
    "classes": b"class A {" * 2000,
    "calls": b"int f() { x" + b"->a()" * 5000 + b"; }",
    "sum": b"int x = " + b"1 + " * 5000 + b"1;",
    "scopes": b"int " + b"a::" * 10_000 + b"f() {}",
    "pointers": b"int " + b"*" * 10_000 + b"x;",
    "declarators": b"int " + b"a," * 5000 + b"b;",
    "enumerators": b"enum A {" + b"a," * 5000 + b"b};",
    "names of classes": b"class a : " * 20_000,
    "casts": b"int x = " + b"(int)" * 5000 + b"1;",
    "macro": b"#define A " + b"a(" * 20_000 + b"\n",
    "nul": b"int f() { return 1\0; }\n",
    "invalid": b'int f() { return "\xff\xfe"; }\n',
    "noise": random.Random(3).randbytes(20_000),
    "line": b'char *x = "' + b"a" * 500_000 + b'";',
    "empty": b"",
}


@pytest.mark.parametrize("suffix", [".c", ".cc"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sources(name: str, suffix: str) -> None:
    symbols = CPP.read_symbols(HOSTILE[name], suffix)
    assert symbols.error or symbols.definitions[0].kind == "module"
    assert len(CPP.read_digests(HOSTILE[name], suffix)) == len(symbols.definitions)
    assert len(symbols.gaps) < 500


def test_a_syntax_error_keeps_the_rest() -> None:
    symbols = read(CPP, "int good() { return 1; }\nint bad( { ] ;\nclass A { void after(); };\n")
    assert {"good", "A", "A.after"} <= {one.name for one in symbols.definitions}
    assert "syntax" in {gap.reason for gap in symbols.gaps}


@settings(max_examples=40)
@given(st.integers(0, len(SHOP)), st.integers(0, 60))
def test_a_file_with_a_hole_is_read_the_same_twice(at: int, length: int) -> None:
    source = (SHOP[:at] + SHOP[at + length :]).encode()
    symbols = CPP.read_symbols(source, ".cc")
    assert symbols == CPP.read_symbols(source, ".cc")
    count = len(symbols.definitions)
    assert all(one.parent < number for number, one in enumerate(symbols.definitions))
    assert all(one.within < count for one in (*symbols.references, *symbols.bindings, *symbols.texts, *symbols.gaps))
    assert [one.name for one in CPP.read_digests(source, ".cc")] == [one.name for one in symbols.definitions]
