"""Go: a text with every construct, and exactly what the reader says of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reach.symbol_lines import bindings, changed, definitions, read, references
from tidegate.reach.languages.go import GO
from tidegate.reach.languages.go_reader import GoReader
from tidegate.reach.languages.tree import make_parser
from tidegate.reach.symbols import Text

SHOP = """\
package shop_test

import (
	"errors"
	f "fmt"
	. "math"
	"net/http"
	_ "net/http/pprof"
	"testing"

	"example.com/go-shop/v2/internal/store"
	"gopkg.in/yaml.v3"
)

// Limit is documented.
const (
	Limit   Size = iota
	maximum
	name    = "etc/shop.conf"
)

var (
	ErrGone = errors.New("gone")
	clean   = func(text string) string { return f.Sprint(text) }
	_       Keeper = (*Shop)(nil)
)

type (
	Size   int
	Alias  = store.Item
	Wares  map[string]*Item
	Handle func(w http.ResponseWriter) *Item
)

type Keeper interface {
	store.Base
	Keep(item *Item, more ...string) (kept *Item, err error)
}

type Shop[T Keeper] struct {
	*store.Base
	Logger
	items, old []*Item
	byName     map[string]Item
	handle     Handle
	later      chan T
	nested     struct{ inner Item }
}

func NewShop(at string) (*Shop[Keeper], error) {
	s := &Shop[Keeper]{handle: serve, byName: map[string]Item{"a": {Name: name}}}
	item, err := s.find(at)
	if err != nil {
		return nil, f.Errorf("no: %w", err)
	}
	s.items = append(s.items, item, newItem("x"))
	return s, nil
}

func (s *Shop[T]) find(name string) (*Item, error) {
	for i, one := range s.items {
		if one.Matches(name, i) {
			return one, nil
		}
	}
	go s.load(s.later)
	defer close(s.later)
	kept := <-s.later
	kept.Keep(nil)
	s.handle = func(w http.ResponseWriter) *Item { return w.(*Wrapper).Item() }
	return s.old[0].Next().Copy(), ErrGone
}

func (i *Item) Matches(name string, at int) bool {
	switch v := i.value.(type) {
	case *Special:
		return v.Is(name)
	default:
		return Abs(v.Size()) > 0
	}
}

func init() { http.Handle("/shop", http.HandlerFunc(serve)) }

func Map[A any, B Keeper](from []A, turn func(A) B) []B {
	made := make([]B, 0, len(from))
	for _, a := range from {
		made = append(made, turn(a))
	}
	return made
}

func TestShop(t *testing.T) {
	tests := []struct {
		name string
		shop *Shop[Keeper]
	}{{"one", nil}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.shop.find("a") })
	}
	all := Map[int, Keeper](nil, pick)
	all[0].Keep(new(Item))
	call := (*Item).Matches
	call(nil, "", 0)
	yaml.Marshal(store.Default.Items)
}
"""


def test_definitions() -> None:
    assert definitions(read(GO, SHOP)) == [
        "29-29 public class Size [exported]",
        "30-30 public type Alias [exported]",
        "31-31 public class Wares [exported]",
        "32-32 public class Handle [exported]",
        "35-38 public interface Keeper : store.Base [exported]",
        "40-48 public class Shop : store.Base, Logger [exported]",
        "17-17 public constant Limit [exported]",
        "18-18 private constant maximum",
        "19-19 private constant name",
        "23-23 public variable ErrGone [exported]",
        "24-24 private function clean(text: %str) -> %str",
        "50-58 public function NewShop(at: %str) -> Shop! [exported]",
        "60-72 private method Shop.find(name: %str) -> Item!",
        "74-81 public class Item [partial]",
        "74-81 public method Item.Matches(name: %str, at: %int) -> %bool [exported]",
        "83-83 private function init [exported]",
        "85-91 public function Map(from: A!*, turn: %func) -> B!* [exported]",
        "93-106 public function TestShop(t: testing.T!) [exported test]",
        "37-37 public method Keeper.Keep(item: Item!, *more: %str) -> Item! [abstract exported]",
        "47-47 private class Shop.struct [anonymous]",
        "94-97 private class TestShop.struct [anonymous]",
    ]


def test_bindings() -> None:
    assert bindings(read(GO, SHOP)) == [
        "-: errors = <errors> (import)",
        "-: f = <fmt> (import)",
        "-: * = <math>.* (import)",
        "-: http = <net/http> (import)",
        "-: testing = <testing> (import)",
        "-: store = <example.com/go-shop/v2/internal/store> (import)",
        "-: yaml = <gopkg.in/yaml.v3> (import)",
        "-: Alias = store.Item (assign)",
        "Wares: [] = Item! (annotation)",
        "Handle: () = Item! (annotation)",
        "Keeper.Keep: more = %str* (annotation)",
        "Keeper.Keep: kept = Item! (annotation)",
        "Keeper.Keep: err = %error (annotation)",
        "Shop: T = Keeper (annotation)",
        "Shop: Base = store.Base! (annotation)",
        "Shop: Logger = Logger! (annotation)",
        "Shop: items = Item!* (annotation)",
        "Shop: old = Item!* (annotation)",
        "Shop: byName = Item!* (annotation)",
        "Shop: handle = Handle! (annotation)",
        "Shop: later = T!* (annotation)",
        "Shop.struct: inner = Item! (annotation)",
        "Shop: nested = struct! (annotation)",
        "-: Limit = Size! (annotation in Limit)",
        "-: Limit = %int (assign in Limit)",
        "-: maximum = Size! (annotation in maximum)",
        "-: name = %str (assign in name)",
        "-: ErrGone = errors.New() (assign in ErrGone)",
        "Shop: handle = serve (assign in NewShop)",
        "Item: Name = name (assign in NewShop)",
        "NewShop: s = Shop() (assign)",
        "NewShop: item = s.find() (assign)",
        "NewShop: err = %error (assign)",
        "Shop.find: T = Keeper (annotation)",
        "Shop.find: i = ? (assign)",
        "Shop.find: one = self.items[] (assign)",
        "Shop.find: kept = self.later[] (assign)",
        "Shop.find: w = http.ResponseWriter! (annotation)",
        "Shop: handle = %func (assign in Shop.find)",
        "Item.Matches: v = Special! (narrow)",
        "Item.Matches: v = self.value (assign)",
        "Map: B = Keeper (annotation)",
        "Map: made = B!* (assign)",
        "Map: a = from[] (assign)",
        "TestShop.struct: name = %str (annotation)",
        "TestShop.struct: shop = Shop! (annotation)",
        "TestShop: tests = struct!* (assign)",
        "TestShop: tt = tests[] (assign)",
        "TestShop: t = testing.T! (annotation)",
        "TestShop: all = Map() (assign)",
        "TestShop: call = Item.Matches (assign)",
    ]


def test_references() -> None:
    symbols = read(GO, SHOP)
    names = dict.fromkeys(one.name for one in symbols.definitions)
    assert {name: said for name in names if (said := references(symbols, name))} == {
        "": [
            "import <errors>",
            "import <fmt>",
            "import <math>",
            "import <net/http>",
            "import <net/http/pprof>",
            "import <testing>",
            "import <example.com/go-shop/v2/internal/store>",
            "import <gopkg.in/yaml.v3>",
            "type Keeper",
            "call Shop()",
            "call init",
        ],
        "Alias": [
            "type store.Item",
        ],
        "Wares": [
            "type Item",
        ],
        "Handle": [
            "type Item",
            "type http.ResponseWriter",
            "type Item",
        ],
        "Keeper": [
            "type store.Base",
            "inherit store.Base",
        ],
        "Shop": [
            "type Keeper",
            "type store.Base",
            "inherit store.Base",
            "type Logger",
            "inherit Logger",
            "type Item",
            "type Item",
            "type Handle",
        ],
        "Limit": [
            "type Size",
        ],
        "maximum": [
            "type Size",
        ],
        "ErrGone": [
            'call errors.New("gone")',
        ],
        "clean": [
            "call f.Sprint(text)",
        ],
        "NewShop": [
            "type Shop",
            "type Keeper",
            "type Shop",
            "type Keeper",
            "pass serve",
            "type Item",
            "pass name",
            "call Item(Name=name)",
            "call Shop(handle=serve, byName=Item!*)",
            "call s.find(at)",
            'call f.Errorf("no: %w", err)',
            "pass s.items",
            'call newItem("x")',
            "write s.items",
        ],
        "Shop.find": [
            "type Keeper",
            "type Item",
            "call one.Matches(name, i)",
            "pass self.later",
            "call self.load(self.later)",
            "pass self.later",
            "call kept.Keep()",
            "type http.ResponseWriter",
            "type Item",
            "type Wrapper",
            "call Wrapper!.Item",
            "write self.handle",
            "call self.old[].Next",
            "call self.old[].Next().Copy",
            "pass ErrGone",
        ],
        "Item.Matches": [
            "type Special",
            "call v.Is(name)",
            "call v.Size",
            "call Abs(v.Size())",
        ],
        "init": [
            "pass serve",
            "call http.HandlerFunc(serve)",
            'call http.Handle("/shop", http.HandlerFunc())',
        ],
        "Map": [
            "type Keeper",
            "call turn(a)",
        ],
        "TestShop": [
            "type testing.T",
            "pass tt.name",
            "type testing.T",
            'call tt.shop.find("a")',
            "call t.Run(tt.name, %func)",
            "type Keeper",
            "pass pick",
            "call Map(, pick)",
            "type Item",
            "call Item",
            "call all[].Keep(Item())",
            "pass Item.Matches",
            'call call(, "", %int)',
            "pass store.Default.Items",
            "call yaml.Marshal(store.Default.Items)",
        ],
        "Keeper.Keep": [
            "type Item",
            "type Item",
        ],
        "Shop.struct": [
            "type Item",
        ],
        "TestShop.struct": [
            "type Shop",
            "type Keeper",
        ],
    }


def test_texts_and_gaps() -> None:
    symbols = read(GO, SHOP)
    assert symbols.texts == (Text(within=9, value="etc/shop.conf", line=19), Text(within=16, value="/shop", line=83))
    assert symbols.gaps == ()
    assert symbols.package == "shop_test"


def test_branches() -> None:
    """Loops are 1, branches and closures 3, what treats an error 5."""
    calls = [one for one in read(GO, SHOP).references if one.kind == "call" and one.branch]
    assert [(one.chain, one.branch) for one in calls] == [
        ("f.Errorf", 5),
        ("one.Matches", 1),
        ("Wrapper!.Item", 3),
        ("v.Is", 3),
        ("v.Size", 3),
        ("Abs", 3),
        ("turn", 1),
        ("tt.shop.find", 3),
        ("t.Run", 1),
    ]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("fmt", "fmt"),
        ("net/http", "http"),
        ("github.com/a/go-shop", "shop"),
        ("github.com/a/shop-go", "shop"),
        ("github.com/a/shop/v2", "shop"),
        ("gopkg.in/yaml.v3", "yaml"),
        ("github.com/a/snake_case", "snake_case"),
    ],
)
def test_name_of_an_imported_package(path: str, name: str) -> None:
    assert f"-: {name} = <{path}> (import)" in bindings(read(GO, f'package a\nimport "{path}"\n'))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("x := &Item{}", "x = Item()"),
        ("x := new(Item)", "x = Item()"),
        ("x := make(chan *Item)", "x = Item!*"),
        ("x := []Item{}", "x = Item!*"),
        ("x := map[string][]*Item{}", "x = Item!**"),
        ("var x pkg.Item", "x = pkg.Item!"),
        ("var x func() Item", "x = %func"),
        ("var x iter.Seq[Item]", "x = Item!*"),
        ("var x atomic.Pointer[Item]", "x = Item!"),
        ("var x any", "x = %any"),
        ("x := (*Item)(nil)", "x = Item()"),
        ("x := value.(Item)", "x = Item!"),
        ('x := "a" + b()', "x = %str"),
        ("x := !ok()", "x = %bool"),
        ("x := items[1:]", "x = items"),
        ("x := pick[Item](items)", "x = pick()"),
        ("x := table[0](items)", "x = table[]()"),
        ("x := []byte(text)", "x = %bytes"),
        ("for _, x := range items { }", "x = items[]"),
        ("for x := range 3 { }", "x = %int"),
        ("if x := f(); x != nil { }", "x = f()"),
        ("select { case x := <-items: x.Go() }", "x = items[]"),
        ("a, x := both()", "x = Other!"),
        ("a, x := abroad()", "x = ?"),
    ],
)
def test_what_a_local_name_means(statement: str, expected: str) -> None:
    source = f"package a\nfunc both() (Item, Other, error) {{ panic(0) }}\nfunc f() {{\n\t{statement}\n}}\n"
    assert any(line.startswith(f"f: {expected} (") for line in bindings(read(GO, source)))


@pytest.mark.parametrize(
    ("source", "test"),
    [
        ("func TestIt(t *testing.T) {}", True),
        ("func Test(t *testing.T) {}", True),
        ("func Testify(t *testing.T) {}", False),
        ("func TestMain(m *testing.M) {}", False),
        ("func BenchmarkIt(b *testing.B) {}", False),
        ("func FuzzIt(f *testing.F) {}", True),
        ("func ExampleIt() {\n\tf()\n\t// Output:\n\t// 1\n}", True),
        ("func ExampleIt() { f() }", False),
    ],
)
def test_what_is_a_test(source: str, test: bool) -> None:
    assert ("test" in read(GO, f"package a\n{source}\n").definitions[1].flags) is test


def test_closures_of_local_names_are_known_by_their_results() -> None:
    symbols = read(GO, "package a\nfunc f() {\n\tmake := func() *Item { return nil }\n\tmake().Go()\n}\n")
    assert references(symbols, "f", "call") == ["call Item!.Go"]


def test_plain_calls_say_the_same_by_their_text_as_by_their_nodes() -> None:
    source = (
        SHOP + 'func more(t T) {\n\ta, err := t.do(name, "a/b", 1)\n\tclean(nil, a.b)\n\treturn a, name\n}\n'
        'var table = []Item{{Name: name, At: 1, Go: serve}, one, {"x", nil}}\n'
    ).encode()
    root = make_parser("tree_sitter_go").parse(source).root_node
    by_nodes = GoReader(source)
    by_nodes.flat = False
    assert by_nodes.read_file(root) == GoReader(source).read_file(root)


def test_reflection_is_a_gap() -> None:
    symbols = read(GO, 'package a\nfunc f(v reflect.Value) { v.MethodByName("X").Call(nil) }\n')
    assert [gap.reason for gap in symbols.gaps] == ["reflection"]


BEFORE = """\
package a

// Limit is a number.
const (
    First = iota
    Second
)

var limit int = 5

// Shop sells.
type Shop struct{ Name string }

type Keeper interface{ Keep(a int) }

func (s *Shop) Sell(a int, b string) error {
    return nil
}
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("return nil", "return nil // why", {}),
        ("(a int, b string) error {", "(\n    a int,\n    b string,\n) error {", {}),
        ("// Shop sells.", "// Shop buys.", {"Shop": ["docs"]}),
        ("return nil", "return s.no()", {"Shop.Sell": ["body"]}),
        ("b string", "b []string", {"Shop.Sell": ["signature"]}),
        ("(s *Shop)", "(s Shop)", {"Shop.Sell": ["signature"]}),
        ("Name string", "Name, Other string", {"Shop": ["body"]}),
        ("struct{ Name", "struct{ Base; Name", {"Shop": ["bases", "body"]}),
        ("Keep(a int)", "Keep(a int) error", {"Keeper.Keep": ["signature"]}),
        ("= 5", "= 6", {"limit": ["body"]}),
        ("limit int", "limit int64", {"limit": ["signature"]}),
        ("First = iota", "Zeroth = iota\n    First", {"First": ["body"], "Second": ["body"], "Zeroth": ["new"]}),
        ("Sell", "Give", {"Shop.Sell": ["gone"], "Shop.Give": ["new"]}),
        ("package a\n", 'package a\n\nimport "fmt"\n', {"": ["body"]}),
    ],
)
def test_digests_move_with_what_changed(old: str, new: str, expected: dict[str, list[str]]) -> None:
    assert old in BEFORE
    assert changed(GO, BEFORE, BEFORE.replace(old, new, 1)) == expected


TREE = {
    "go.mod": "module example.com/shop\n\ngo 1.20\n\nreplace example.com/other => ./lib/other\n",
    "lib/other/go.mod": "module example.com/renamed // was other\n",
    "tools/go.mod": "module example.com/shop/tools\n",
}
PACKAGES = {
    "main.go": "main",
    "store/store.go": "store",
    "store/more.go": "store",
    "store/gen.go": "main",
    "store/store_test.go": "store",
    "store/export_test.go": "store",
    "store/outer_test.go": "store_test",
    "store/other_test.go": "store_test",
    "lib/other/other.go": "other",
    "tools/run/run.go": "run",
    "vendor/example.org/far/far.go": "far",
}


def _find(spec: str, path: str) -> tuple[str, ...]:
    texts = {name: text.encode() for name, text in TREE.items()}
    layout = GO.read_layout(PACKAGES, [*PACKAGES, *TREE], lambda wanted: {name: texts[name] for name in wanted})
    return layout.find(spec, path)


@pytest.mark.parametrize(
    ("spec", "path", "expected"),
    [
        ("example.com/shop/store", "main.go", ("store/more.go", "store/store.go")),
        (
            "example.com/shop/store",
            "store/outer_test.go",
            ("store/export_test.go", "store/more.go", "store/store.go", "store/store_test.go"),
        ),
        ("example.com/other", "main.go", ("lib/other/other.go",)),
        ("example.com/renamed", "main.go", ("lib/other/other.go",)),
        ("example.com/shop/tools/run", "main.go", ("tools/run/run.go",)),
        ("example.org/far", "store/store.go", ("vendor/example.org/far/far.go",)),
        ("example.org/far/deeper", "main.go", ()),
        ("fmt", "main.go", ()),
        ("example.com/shop", "store/store.go", ("main.go",)),
    ],
)
def test_where_an_import_leads(spec: str, path: str, expected: tuple[str, ...]) -> None:
    assert _find(spec, path) == expected


def test_a_tree_without_modules_is_found_by_the_end_of_the_path() -> None:
    layout = GO.read_layout({"a.go": "shop", "in/b.go": "in"}, ["a.go", "in/b.go"], lambda wanted: {})
    assert layout.find("github.com/x/shop/in", "a.go") == ("in/b.go",)
    assert layout.find("github.com/x/shop", "in/b.go") == ("a.go",)
    assert layout.find("errors", "a.go") == ()


def test_what_a_file_sees_without_an_import() -> None:
    layout = GO.read_layout(PACKAGES, list(PACKAGES), lambda wanted: {})
    assert layout.visible("store/store.go") == ("store/more.go",)
    assert layout.visible("store/store_test.go") == ("store/export_test.go", "store/more.go", "store/store.go")
    assert layout.visible("store/outer_test.go") == ("store/other_test.go",)


DEEP = 10_000


@pytest.mark.parametrize(
    "body",
    [
        "x := " + "(" * DEEP + "1" + ")" * DEEP,
        "g(" * DEEP + ")" * DEEP,
        "{" * DEEP + "}" * DEEP,
        "a" + ".b()" * DEEP,
        "x := " + "func() { " * DEEP + "}" * DEEP,
        "var x " + "[]" * DEEP + "int",
    ],
    ids=["brackets", "calls", "blocks", "chain", "closures", "type"],
)
def test_deep_nesting_is_a_gap_and_spares_the_rest(body: str) -> None:
    symbols = read(GO, f"package a\nfunc f() {{ {body} }}\nfunc last() {{ f() }}\n")
    assert [one.name for one in symbols.definitions] == ["", "f", "last"]
    assert [gap.reason for gap in symbols.gaps] == ["syntax"]
    assert references(symbols, "last") == ["call f"]


def test_a_long_sum_is_read() -> None:
    symbols = read(GO, "package a\nfunc f() { x := " + '"a" + ' * DEEP + "g() }\n")
    assert references(symbols, "f") == ["call g"]
    assert symbols.gaps == ()


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\0",
        b"\xff\xfe",
        b"package",
        b"package a\nfunc f( {",
        b"package a\nfunc (",
        b"}" * 1000,
        b"type T struct {",
    ],
)
def test_what_is_no_go_is_read_without_raising(source: bytes) -> None:
    symbols = GO.read_symbols(source, ".go")
    assert [(d.name, d.kind) for d in symbols.definitions] == [(d.name, d.kind) for d in GO.read_digests(source, ".go")]


def test_a_syntax_error_keeps_the_rest() -> None:
    symbols = read(GO, "package a\nfunc f() { g() }\nfunc broken( { ] \n}\nfunc last() { f() }\n")
    assert symbols.gaps
    assert references(symbols, "f") == ["call g"]
    assert "call f" in [f"{one.kind} {one.chain}" for one in symbols.references]


def test_invalid_utf_8_and_long_lines_are_read() -> None:
    source = b'package a\n// \xff\nfunc f() { g("' + b"a/b" * 1_700_000 + b'"); \xc3\xa4("\xc3\xbc.b") }\n'
    symbols = GO.read_symbols(source, ".go")
    assert references(symbols, "f")[1] == 'call ä("ü.b")'
    assert symbols.texts == (Text(1, "ü.b", 3),)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(SHOP)), st.integers(0, 60))
def test_damaged_sources_are_read_the_same_way_twice(at: int, length: int) -> None:
    source = (SHOP[:at] + SHOP[at + length :]).encode()
    symbols = GO.read_symbols(source, ".go")
    assert symbols == GO.read_symbols(source, ".go")
    assert [one.name for one in GO.read_digests(source, ".go")] == [one.name for one in symbols.definitions]
    assert all(one.parent < number for number, one in enumerate(symbols.definitions))
