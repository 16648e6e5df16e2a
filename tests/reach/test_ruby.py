"""Ruby: a text with every construct, and exactly what the reader says of it."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reach.symbol_lines import bindings, changed, definitions, read, references
from tidegate.reach.languages.ruby import RUBY
from tidegate.reach.languages.ruby_layout import RubyLayout


def said(source: str) -> dict[str, list[str]]:
    symbols = read(RUBY, source)
    names = dict.fromkeys(one.name for one in symbols.definitions)
    return {name: lines for name in names if (lines := references(symbols, name))}


SHOP = """\
require "json"
require_relative "store/base"

# A shop.
module Shop
  LIMIT = 10
  DEFAULT = Store::Base.new(LIMIT)

  class Cart < Store::Base
    include Comparable
    extend Finders
    prepend Audited

    attr_reader :items
    attr_accessor :owner, "note"
    delegate :name, :email, to: :owner
    delegate :size, to: :@items
    has_many :line_items, class_name: "Shop::Line", dependent: :destroy
    belongs_to :customer
    scope :open, -> { where(open: true) }
    before_save :check, if: :ready?
    alias_method :each_item, :walk
    alias total sum

    def initialize(owner, items = [], *rest, limit: LIMIT, **options, &block)
      super(owner)
      @items = items
      @gate ||= Gate.new(self)
      self.owner = owner
    end

    def self.build(...) = new(...)

    class << self
      def find_all(ids) = ids.map { |id| Line.find(id) }
    end

    def walk
      return enum_for(:walk) unless block_given?
      line_items.each { |line| line.touch! }
      line_items.map(&:price)
      first, last = line_items.first, Line.new
      last.price
      for line in line_items do line.save end
      send(:check)
      public_send("total_#{first}")
      method(:check).call
      Object.const_get("Shop::Line").new
      case first
      when Line then first.price
      end
    rescue KeyError, Gone => error
      error.report
    ensure
      @gate.close
    end

    def gate = @gate || Gate.open("config/gate.yml")

    def <=>(other) = sum <=> other.sum

    def [](at)
      @items[at]
    end

    def save!
      super
      reload!
    end

    define_method(:dynamic) { walk }

    private

    def check; end

    public def shown; end
  end

  Line = Struct.new(:price, :count) do
    def sum = price * count
  end

  Gone = Class.new(StandardError)
end

def Shop.open = Shop::Cart.build

get "/carts/:id" do
  cart = Shop::Cart.find(params[:id])
  cart.walk
end
"""

SPEC = """\
RSpec.describe Shop::Cart, type: :model do
  let(:owner) { Owner.new }
  subject { described_class.new(owner) }
  before { owner.save }

  describe "#walk" do
    before(:each) { prepare }

    it "walks. Twice" do
      expect(subject.walk).to eq(1)
    end
  end

  it { is_expected.to be_valid }
end

class CartTest < Minitest::Test
  def setup = @cart = Shop::Cart.new

  def test_walk
    @cart.walk
  end

  test "titles too" do
    helper
  end

  def helper; end
end
"""


def test_definitions() -> None:
    assert definitions(read(RUBY, SHOP)) == [
        "5-85 public class Shop",
        "6-6 public constant Shop.LIMIT",
        "7-7 public constant Shop.DEFAULT",
        "9-78 public class Shop.Cart : Audited, Store.Base, Comparable, Finders",
        "14-14 public method Shop.Cart.items -> self.@items",
        "15-15 public method Shop.Cart.owner -> self.@owner",
        "15-15 public method Shop.Cart.owner= -> self.@owner",
        "15-15 public method Shop.Cart.note -> self.@note",
        "15-15 public method Shop.Cart.note= -> self.@note",
        "16-16 public method Shop.Cart.name -> self.owner().name()",
        "16-16 public method Shop.Cart.email -> self.owner().email()",
        "17-17 public method Shop.Cart.size -> self.@items.size()",
        "18-18 public method Shop.Cart.line_items -> Shop.Line!*",
        "18-18 public method Shop.Cart.line_items= -> Shop.Line!*",
        "19-19 public method Shop.Cart.customer -> Customer!",
        "19-19 public method Shop.Cart.customer= -> Customer!",
        "20-20 public method Shop.Cart.open -> cls()* [static]",
        "25-30 public method Shop.Cart.initialize(owner: , items:  = %list, *rest: , limit:  = LIMIT, **options: , "
        "block: ) -> owner",
        "32-32 public method Shop.Cart.build -> cls() [static]",
        "35-35 public method Shop.Cart.find_all(ids: ) -> ids.map() [static]",
        "38-56 public method Shop.Cart.walk -> enum_for()",
        "58-58 public method Shop.Cart.gate -> self.@gate | Gate.open()",
        "60-60 public method Shop.Cart.<=>(other: )",
        "62-64 public method Shop.Cart.［］(at: ) -> self.@items[]",
        "66-69 public method Shop.Cart.saveǃ -> reloadǃ()",
        "71-71 public method Shop.Cart.dynamic -> walk()",
        "75-75 private method Shop.Cart.check",
        "77-77 public method Shop.Cart.shown",
        "80-82 public class Shop.Line",
        "81-81 public method Shop.Line.sum",
        "80-80 public method Shop.Line.price -> self.@price",
        "80-80 public method Shop.Line.price= -> self.@price",
        "80-80 public method Shop.Line.count -> self.@count",
        "80-80 public method Shop.Line.count= -> self.@count",
        "84-84 public class Shop.Gone : StandardError",
        "87-87 public method Shop.open -> Shop.Cart() [static]",
    ]


def test_bindings() -> None:
    assert bindings(read(RUBY, SHOP)) == [
        "-: * = <json>.* (import)",
        "-: * = <./store/base>.* (import)",
        "Shop: DEFAULT = Store.Base() (assign)",
        "Shop.Cart: each_item = self.walk (assign)",
        "Shop.Cart: total = self.sum (assign)",
        "Shop.Cart: @items = items (assign in Shop.Cart.initialize)",
        "Shop.Cart: @gate = Gate() (assign in Shop.Cart.initialize)",
        "Shop.Cart.find_all: id = ids[] (assign)",
        "Shop.Cart.walk: line = line_items()[] (assign)",
        "Shop.Cart.walk: first = line_items().first() (assign)",
        "Shop.Cart.walk: last = Line() (assign)",
        "Shop.Cart.walk: line = line_items()[] (assign)",
        "Shop.Cart.walk: first = Line! (narrow)",
        "Shop.Cart.walk: error = KeyError! (assign)",
        "Shop.Cart.walk: error = Gone! (assign)",
        "-: cart = Shop.Cart() (assign)",
    ]


def test_references() -> None:
    assert said(SHOP) == {
        "": [
            "import <json>",
            "import <./store/base>",
            "call params",
            "call Shop.Cart.find(params()[])",
            "call cart.walk",
            'call get("/carts/:id")',
        ],
        "Shop": ["pass LIMIT", "call Store.Base(LIMIT)", "inherit Store.Base", "pass StandardError"],
        "Shop.Cart": [
            "inherit Comparable",
            "inherit Finders",
            "inherit Audited",
            'call has_many("line_items", class_name="Shop::Line", dependent="destroy")',
            "type Shop.Line",
            'call belongs_to("customer")',
            "type Customer",
            "pass self.check",
            "pass self.ready?",
            'call before_save("check", if="ready?")',
            "call self.initialize",
            "pass self.<=>",
            "pass self.［］",
        ],
        "Shop.Cart.name": ["call self.owner().name"],
        "Shop.Cart.email": ["call self.owner().email"],
        "Shop.Cart.size": ["call self.@items.size"],
        "Shop.Cart.open": ["call where(open=%bool)"],
        "Shop.Cart.initialize": [
            "read LIMIT",
            "call super.initialize(owner)",
            "call Gate(self)",
            "call self.owner=(owner)",
        ],
        "Shop.Cart.build": ["call cls()"],
        "Shop.Cart.find_all": ["call Line.find(id)", "call ids.map"],
        "Shop.Cart.walk": [
            'call enum_for("walk")',
            "call line_items",
            "call line.touchǃ",
            "call line_items().each",
            "call line_items",
            "call line_items()[].price",
            "call line_items().map(%func)",
            "call line_items",
            "call line_items().first",
            "call Line",
            "call last.price",
            "call line_items",
            "call line.save",
            "call check",
            "pass check",
            "call check.call",
            "read Shop.Line",
            'call Object.const_get("Shop::Line")',
            "call Object.const_get()",
            "read Line",
            "call first.price",
            "read KeyError",
            "read Gone",
            "call error.report",
            "call self.@gate.close",
        ],
        "Shop.Cart.gate": ['call Gate.open("config/gate.yml")'],
        "Shop.Cart.<=>": ["call sum", "call other.sum"],
        "Shop.Cart.［］": ["call self.@items.［］"],
        "Shop.Cart.saveǃ": ["call super.saveǃ", "call reloadǃ"],
        "Shop.Cart.dynamic": ["call walk"],
        "Shop.Line.sum": ["call price", "call count"],
        "Shop.open": ["call Shop.Cart.build"],
    }


def test_texts_and_gaps() -> None:
    symbols = read(RUBY, SHOP)
    assert [(text.value, text.line) for text in symbols.texts] == [
        ("store/base", 2),
        ("line_items", 18),
        ("total_{}", 46),
        ("config/gate.yml", 58),
        ("/carts/:id", 89),
    ]
    assert [(gap.reason, gap.line) for gap in symbols.gaps] == [("reflection", 46)]


def test_examples_and_cases() -> None:
    assert definitions(read(RUBY, SPEC)) == [
        "1-15 public class Shop․Cart",
        "2-2 public method Shop․Cart.owner -> Owner()",
        "3-3 public method Shop․Cart.subject -> Shop.Cart()",
        "4-4 public method Shop․Cart.before 4 -> owner().save()",
        "6-12 public class Shop․Cart.＃walk : Shop․Cart",
        "7-7 public method Shop․Cart.＃walk.before 7 -> prepare()",
        "9-11 public method Shop․Cart.＃walk.walks․ Twice -> expect().to() [test]",
        "14-14 public method Shop․Cart.it 14 -> is_expected().to() [test]",
        "17-29 public class CartTest : Minitest.Test",
        "18-18 public method CartTest.setup -> Shop.Cart()",
        "20-22 public method CartTest.test_walk -> self.@cart.walk() [test]",
        "24-26 public method CartTest.titles too -> helper() [test]",
        "28-28 public method CartTest.helper",
    ]
    assert said(SPEC) == {
        "": ["pass Shop.Cart", "inherit Minitest.Test"],
        "Shop․Cart.owner": ["call Owner"],
        "Shop․Cart.subject": ["call owner", "call Shop.Cart(owner())"],
        "Shop․Cart.before 4": ["call owner", "call owner().save"],
        "Shop․Cart.＃walk.before 7": ["call prepare"],
        "Shop․Cart.＃walk.walks․ Twice": [
            "call subject",
            "call subject().walk",
            "call expect(subject().walk())",
            "call eq(%int)",
            "call expect().to(eq())",
            "call self.before 4",
            "call self.before 7",
        ],
        "Shop․Cart.it 14": [
            "call is_expected",
            "call be_valid",
            "call is_expected().to(be_valid())",
            "call self.before 4",
        ],
        "CartTest.setup": ["call Shop.Cart"],
        "CartTest.test_walk": ["call self.setup", "call self.teardown", "call self.@cart.walk"],
        "CartTest.titles too": ["call helper", "call self.setup", "call self.teardown"],
    }


def test_names_that_are_assigned_are_no_calls() -> None:
    assert said("def f(a, *b, c: 1, &d)\n  a; b; c; d; e; e = 1; e\n  [1].each { |g, (h, i)| g; h; i; j }\nend") == {
        "f": ["call e", "call j"]
    }


def test_metaprogramming_is_followed_or_a_gap() -> None:
    source = """
    class A
      define_method("x_#{n}") { a }
      def method_missing(name) = send(name)
      def go
        send(:"quoted", 1)
        instance_eval("code")
        Object.const_get(name)
        require name
        klass.class_eval { b }
      end
    end
    """
    symbols = read(RUBY, source)
    assert [(gap.reason, symbols.definitions[gap.within].name) for gap in symbols.gaps] == [
        ("reflection", "A"),
        ("reflection", "A"),
        ("reflection", "A.method_missing"),
        ("eval", "A.go"),
        ("reflection", "A.go"),
        ("dynamic-import", "A.go"),
    ]
    assert "call quoted(%int)" in references(symbols, "A.go")


def test_hooks_of_rails_are_handed_over() -> None:
    source = """
    class CartsController < ApplicationController
      before_action :load, only: [:show]
      after_action :log, unless: :quiet?
      rescue_from Gone, with: :gone
      validates :name, presence: true
      def show; end
    end
    """
    assert references(read(RUBY, source), "CartsController", "pass") == [
        "pass self.load",
        "pass self.log",
        "pass self.quiet?",
        "pass Gone",
        "pass self.gone",
    ]


def test_visibility() -> None:
    source = """
    class A
      def one; end
      private
      def two; end
      public
      def three; end
      private :three
      private def four; end
      def five; end
      protected def six; end
      LIMIT = 1
      private_constant :LIMIT
      module_function
      def seven; end
    end
    """
    found = {one.name: one.visibility for one in read(RUBY, source).definitions if one.visibility == "private"}
    assert found == dict.fromkeys(["A.two", "A.three", "A.four", "A.six", "A.LIMIT"], "private")


# Digests

CART = """\
# A cart.
class Cart < Base
  LIMIT = 10

  # Adds.
  def add(item, count = 1)
    items << [item, count]
  end

  attr_reader :items
end
"""


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ("items << [item, count]", "items << [ item,   count, ] # now", {}),
        ("# Adds.", "# Adds one.", {"Cart.add": ["docs"]}),
        ("# A cart.", "# The cart.", {"Cart": ["docs"]}),
        ("[item, count]", "[count, item]", {"Cart.add": ["body"]}),
        ("count = 1", "count = 2", {"Cart.add": ["defaults"]}),
        ("add(item, count", "add(thing, count", {"Cart.add": ["signature"]}),
        ("Cart < Base", "Cart < Other", {"Cart": ["bases"]}),
        ("LIMIT = 10", "LIMIT = 11", {"Cart.LIMIT": ["body"]}),
        ("  attr_reader :items", "  include Enumerable\n  attr_reader :items", {"Cart": ["bases", "body"]}),
        ("def add", "def put", {"Cart.add": ["gone"], "Cart.put": ["new"]}),
        ("attr_reader :items", "attr_reader :lines", {"Cart.items": ["gone"], "Cart.lines": ["new"]}),
        ("  LIMIT = 10\n", "  LIMIT = 10\n  touch\n", {"Cart": ["body"]}),
    ],
)
def test_digests_say_what_changed(before: str, after: str, parts: dict[str, list[str]]) -> None:
    assert changed(RUBY, CART, CART.replace(before, after)) == parts


def test_digests_are_of_the_definitions_in_their_order() -> None:
    for source in (SHOP, SPEC):
        made = read(RUBY, source).definitions
        kept = RUBY.read_digests(source.encode(), ".rb")
        assert [(one.name, one.kind, one.line, one.end_line) for one in kept] == [
            (one.name, one.kind, one.line, one.end_line) for one in made
        ]


@pytest.mark.parametrize("source", [SHOP, SPEC, CART])
def test_no_change_is_silent(source: str) -> None:
    """Another word anywhere, besides in a comment, changes what some definition is made of."""

    def made(text: str) -> list[tuple[str, ...]]:
        found = RUBY.read_digests(text.encode(), ".rb")
        return [(one.name, one.signature, one.defaults, one.bases, one.body) for one in found]

    whole = made(source)
    words = [found for found in re.finditer(r"\w+", source) if not _in_comment(source, found.start())]
    for found in words[::3]:
        assert made(source[: found.start()] + "zz9" + source[found.end() :]) != whole, found


def _in_comment(source: str, at: int) -> bool:
    return "# " in source[source.rfind("\n", 0, at) + 1 : at]


# Layout


def test_where_requires_lead() -> None:
    paths = ["lib/shop.rb", "lib/shop/cart.rb", "app/models/user.rb", "app/models/concerns/admin/html_tag.rb",
             "gem/lib/gem.rb", "test/helper.rb", "Rakefile"]  # fmt: skip
    layout = RubyLayout(paths)
    assert layout.find("shop/cart", "x.rb") == ("lib/shop/cart.rb",)
    assert layout.find("./shop/cart", "lib/shop.rb") == ("lib/shop/cart.rb",)
    assert layout.find("../shop", "lib/shop/cart.rb") == ("lib/shop.rb",)
    assert layout.find("gem", "x.rb") == ("gem/lib/gem.rb",)
    assert layout.find("helper", "test/a.rb") == ("test/helper.rb",)
    assert layout.find("User", "x.rb") == ("app/models/user.rb",)
    assert layout.find("Admin::HTMLTag", "x.rb") == ("app/models/concerns/admin/html_tag.rb",)
    assert layout.find("json", "x.rb") == ()
    assert layout.find("./none", "lib/shop.rb") == ()
    assert layout.find("../../../../etc/passwd", "lib/shop.rb") == ()
    assert layout.visible("lib/shop.rb") == ()


# Hostile sources

HOSTILE = {
    "brackets": b"x = " + b"(" * 10_000 + b")" * 10_000,
    "open brackets": b"[" * 10_000,
    "classes": b"class A\n" * 2000,
    "chain": b"x" + b".a" * 5000,
    "sum": b"x = " + b"1 + " * 5000 + b"1\n",
    "interpolations": b'"#{' * 2000,
    "heredocs": b"<<A\n" * 1000,
    "assignments": b"a, b = " * 1000 + b"1",
    "nul": b"def f\n  g\0h\nend\n",
    "invalid": b'def f\n  g "\xff\xfe"\nend\n',
    "noise": random.Random(3).randbytes(20_000),
    "line": b"x = '" + b"a" * 1_000_000 + b"'",
    "empty": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sources(name: str) -> None:
    symbols = RUBY.read_symbols(HOSTILE[name], ".rb")
    assert symbols.error or symbols.definitions[0].kind == "module"
    assert len(RUBY.read_digests(HOSTILE[name], ".rb")) == len(symbols.definitions)


def test_a_syntax_error_keeps_the_rest() -> None:
    symbols = read(RUBY, "class A\n  def good; end\n  def bad(; end\nend\n\ndef after; end\n")
    names = [one.name.rpartition(".")[2] for one in symbols.definitions]
    assert {"good", "after"} <= set(names)
    assert "syntax" in {gap.reason for gap in symbols.gaps}


@settings(max_examples=40)
@given(st.integers(0, len(SHOP)), st.integers(0, 60))
def test_a_file_with_a_hole_is_read_the_same_twice(at: int, length: int) -> None:
    source = (SHOP[:at] + SHOP[at + length :]).encode()
    symbols = RUBY.read_symbols(source, ".rb")
    assert symbols == RUBY.read_symbols(source, ".rb")
    count = len(symbols.definitions)
    assert all(one.parent < number for number, one in enumerate(symbols.definitions))
    assert all(one.within < count for one in (*symbols.references, *symbols.bindings, *symbols.texts, *symbols.gaps))
    assert [one.name for one in RUBY.read_digests(source, ".rb")] == [one.name for one in symbols.definitions]
