"""What a change changes, on small files that are committed to real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reach import ast_reader
from tests.repos import Repo
from tidegate.change.diff import read_diff
from tidegate.change.git import open_repository
from tidegate.change.values import FileChange, Hunk
from tidegate.reach.answer import ChangedSymbol
from tidegate.reach.changed import Side, changed_symbols, read_one_side, side_reader
from tidegate.reach.languages import language_of
from tidegate.reach.languages.interface import Language

SHOP = '''\
"""A shop."""
import os

LIMIT = 3


def price(item, tax=0.2):
    """What it costs."""
    if item.free:
        return 0
    return item.price * (1 + tax) + os.getpid()


class Cart(dict):
    size = 1

    def add(self, item):
        self[item.name] = item
        return price(item) + self.size

    @property
    def total(self):
        return sum(price(item) for item in self.values())
'''


def change(
    path: Path,
    before: dict[str, str | bytes | None],
    after: dict[str, str | bytes | None],
    reader: str = "real",
) -> list[str]:
    """`path:name what` of every changed symbol, with `<- was` and `(base LINE)` where they say something."""
    return [show(symbol) for symbol in symbols(path, before, after, reader)]


def find(path: str) -> Language | None:
    """A second reader, written apart, proves that what is said does not depend on how one of them makes digests."""
    return ast_reader.find(path)


READERS = {"own": find, "real": language_of}


def symbols(
    path: Path,
    before: dict[str, str | bytes | None],
    after: dict[str, str | bytes | None],
    reader: str = "real",
) -> tuple[ChangedSymbol, ...]:
    repo = Repo.init(path / "r")
    base, head = repo.commit("base", before), repo.commit("head", after)
    with open_repository(repo.path) as repository:
        return changed_symbols(read_diff(repository, base, head).files, side_reader(repository, READERS[reader]))


def show(symbol: ChangedSymbol) -> str:
    was = f" <- {symbol.was}" if symbol.was else ""
    base = f" (base {symbol.line})" if symbol.side == "base" else ""
    return f"{symbol.symbol} {symbol.what}{was}{base}"


@pytest.mark.parametrize("reader", sorted(READERS))
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("return 0", "return 1", ["shop.py:price body"]),
        ("tax=0.2", "tax=0.3", ["shop.py:price default"]),
        ("price(item, tax=0.2)", "price(item, vat=0.2)", ["shop.py:price signature"]),
        ("price(item, tax=0.2)", "price(item, tax: float=0.3)", ["shop.py:price signature"]),
        ("Cart(dict)", "Cart(list)", ["shop.py:Cart bases"]),
        ("@property", "@cached", ["shop.py:Cart.total decorator"]),
        ("LIMIT = 3", "LIMIT = 4", ["shop.py:LIMIT constant"]),
        ("size = 1", "size = 2", ["shop.py:Cart.size constant"]),
        ("What it costs", "The price", ["shop.py:price docs"]),
        ("A shop", "The shop", ["shop.py docs"]),
        ("import os", "import os, sys", ["shop.py body"]),
        ("return 0", "return   0  # nothing", ["shop.py:price format"]),
        ("LIMIT = 3\n", "# how many\nLIMIT = 3\n", ["shop.py format"]),
        ("def add(self, item):\n", "def add(self, item):\n        # keep it\n\n", ["shop.py:Cart.add format"]),
        ("class Cart", "def new():\n    return 1\n\n\nclass Cart", ["shop.py:new added"]),
        ("LIMIT = 3\n", "", ["shop.py:LIMIT deleted (base 4)"]),
        ("def add(", "def put(", ["shop.py:Cart.put renamed <- shop.py:Cart.add"]),
    ],
)
def test_one_edit(tmp_path: Path, old: str, new: str, expected: list[str], reader: str) -> None:
    assert SHOP.count(old) == 1
    assert change(tmp_path, {"shop.py": SHOP}, {"shop.py": SHOP.replace(old, new)}, reader) == expected


def test_several_parts_are_told_once_by_the_strongest(tmp_path: Path) -> None:
    after = SHOP.replace("tax=0.2", "tax=0.3").replace("return 0", "return 1").replace("What it", "All it")
    assert change(tmp_path, {"shop.py": SHOP}, {"shop.py": after}) == ["shop.py:price default"]


def test_a_method_that_moves_inside_its_class_is_formatting(tmp_path: Path) -> None:
    head, add, total = SHOP[: SHOP.index("    def add")], "    def add", "    @property"
    after = head + SHOP[SHOP.index(total) :] + "\n" + SHOP[SHOP.index(add) : SHOP.index(total)].rstrip() + "\n"
    whats = {symbol.what for symbol in symbols(tmp_path, {"shop.py": SHOP}, {"shop.py": after})}
    assert whats == {"format"}


def test_a_class_that_is_gone_is_gone_with_its_methods_and_their_lines_in_the_base(tmp_path: Path) -> None:
    assert change(tmp_path, {"shop.py": SHOP}, {"shop.py": SHOP[: SHOP.index("class")]}) == [
        "shop.py:Cart deleted (base 14)",
        "shop.py:Cart.size deleted (base 15)",
        "shop.py:Cart.add deleted (base 17)",
        "shop.py:Cart.total deleted (base 21)",
    ]


def test_a_renamed_class_takes_its_methods_along_and_one_that_changed_says_how(tmp_path: Path) -> None:
    after = SHOP.replace("class Cart", "class Basket").replace("+ self.size", "- self.size")
    assert change(tmp_path, {"shop.py": SHOP}, {"shop.py": after}) == [
        "shop.py:Basket renamed <- shop.py:Cart",
        "shop.py:Basket.size renamed <- shop.py:Cart.size",
        "shop.py:Basket.add body <- shop.py:Cart.add",
        "shop.py:Basket.total renamed <- shop.py:Cart.total",
    ]


def test_a_function_that_moves_to_another_file(tmp_path: Path) -> None:
    function = SHOP[SHOP.index("def price") : SHOP.index("class")]
    found = change(
        tmp_path,
        {"shop.py": SHOP, "tax.py": "import os\n"},
        {"shop.py": SHOP.replace(function, ""), "tax.py": "import os\n\n\n" + function.replace("0.2", "0.25")},
    )
    assert found == ["tax.py:price default <- shop.py:price"]


def test_a_rewritten_function_is_not_taken_for_another(tmp_path: Path) -> None:
    after = SHOP.replace(
        SHOP[SHOP.index("def price") : SHOP.index("class")],
        "def weigh(things):\n    for thing in things:\n        yield thing.weight, thing.volume, len(things)\n\n\n",
    )
    assert change(tmp_path, {"shop.py": SHOP}, {"shop.py": after}) == [
        "shop.py:price deleted (base 7)",
        "shop.py:weigh added",
    ]


def test_a_file_that_moves(tmp_path: Path) -> None:
    assert change(tmp_path, {"shop.py": SHOP}, {"shop.py": None, "store/shop.py": SHOP}) == [
        "store/shop.py renamed <- shop.py",
        "store/shop.py:LIMIT renamed <- shop.py:LIMIT",
        "store/shop.py:price renamed <- shop.py:price",
        "store/shop.py:Cart renamed <- shop.py:Cart",
        "store/shop.py:Cart.size renamed <- shop.py:Cart.size",
        "store/shop.py:Cart.add renamed <- shop.py:Cart.add",
        "store/shop.py:Cart.total renamed <- shop.py:Cart.total",
    ]


def test_new_and_deleted_files(tmp_path: Path) -> None:
    found = change(tmp_path, {"a.py": "def one():\n    return 1\n"}, {"a.py": None, "b.py": "X = 1\n"})
    assert found == ["a.py deleted (base 1)", "a.py:one deleted (base 1)", "b.py added", "b.py:X added"]


def test_overloads_are_one_symbol_and_their_order_has_a_meaning(tmp_path: Path) -> None:
    one, two = "def f(a):\n    return a\n", "def f(a):\n    return -a\n"
    assert change(tmp_path / "1", {"a.py": one + two}, {"a.py": two + one}) == ["a.py:f body"]
    assert change(tmp_path / "2", {"a.py": one + two}, {"a.py": one}) == ["a.py:f signature"]
    assert change(tmp_path / "3", {"a.py": one + two}, {"a.py": one + two.replace("-", "+")}) == ["a.py:f body"]


def test_what_cannot_be_read_is_a_file(tmp_path: Path) -> None:
    found = symbols(
        tmp_path,
        {"notes.txt": "a\nb\n", "bad.py": "x = 1\n", "pic.bin": b"\0\1", "gone.sql": "select 1\n", "was.py": "(("},
        {"notes.txt": "a\nc\nd\n", "bad.py": "x = (\n", "pic.bin": b"\0\2", "gone.sql": None, "was.py": "x = 1\n"},
    )
    assert [show(symbol) for symbol in found] == [
        "bad.py file",
        "gone.sql file (base 1)",
        "notes.txt file",
        "pic.bin file",
        "was.py file",
    ]
    assert [(s.line, s.end_line) for s in found if s.symbol.path == "notes.txt"] == [(2, 3)]


def test_modes_and_links_are_files(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    base = repo.commit("base", {"a.py": "x = 1\n", "b.py": "x = 1\n", "c.py": "x = 1\n"})
    (repo.path / "a.py").chmod(0o755)
    (repo.path / "b.py").unlink()
    (repo.path / "b.py").symlink_to("a.py")
    (repo.path / "c.py").chmod(0o755)
    head = repo.commit("head", {"c.py": "x = 2\n"})
    with open_repository(repo.path) as repository:
        found = changed_symbols(read_diff(repository, base, head).files, side_reader(repository))
    assert [show(symbol) for symbol in found] == ["a.py file", "b.py file", "c.py file", "c.py:x constant"]


def test_a_bare_diff_has_only_files() -> None:
    hunk = Hunk(1, 1, 1, 1, (b"x = 1",), (b"x = 2",))
    file = FileChange(b"a.py", b"a.py", "modified", 0o100644, 0o100644, "", "", 0, 1, 1, False, True, (hunk,))
    assert [show(symbol) for symbol in changed_symbols([file], lambda names: {})] == ["a.py file"]


def test_many_functions_that_move_are_found_quickly(tmp_path: Path) -> None:
    bodies = [
        f"def f{n}(a):\n" + "".join(f"    a = a + {n * 7 + k} * {k}\n" for k in range(8)) + "    return a\n"
        for n in range(400)
    ]
    found = symbols(tmp_path, {"a.py": "".join(bodies), "b.py": "Y = 1\n"}, {"a.py": "", "b.py": "".join(bodies)})
    assert sum(symbol.what == "renamed" for symbol in found) == 400


NAMES = st.sampled_from(["a", "b", "c", "d"])
FUNCTION = st.builds(
    lambda name, default, body, doc, note: (
        f"def {name}(x={default}):\n"
        + (f"    '''{doc}'''\n" if doc else "")
        + (f"    # {note}\n" if note else "")
        + f"    return x + {body}\n"
    ),
    NAMES,
    st.integers(0, 1),
    st.integers(0, 2),
    st.sampled_from(["", "one", "two"]),
    st.sampled_from(["", "why"]),
)
MODULE = st.lists(FUNCTION, max_size=5).map("\n\n".join)


@settings(max_examples=150, deadline=None)
@given(MODULE, MODULE, st.sampled_from(sorted(READERS)))
def test_nothing_that_differs_is_called_silent(old: str, new: str, reader: str) -> None:
    """Where all reported symbols are silent, the two files do the same: the trees are equal but for documentation."""
    import ast

    file = FileChange(b"m.py", b"m.py", "modified", 0o100644, 0o100644, "1", "2", 0, 1, 1, False, False, ())
    sides = {
        (oid, "m.py"): side
        for oid, text in (("1", old), ("2", new))
        if (side := read_one_side("m.py", text.encode(), READERS[reader])) is not None
    }
    found = changed_symbols([file], lambda names: sides)
    assert found == changed_symbols([file], lambda names: dict(reversed(sides.items())))
    assert len({(symbol.symbol, symbol.side) for symbol in found}) == len(found)
    if all(symbol.silent for symbol in found):
        assert _last_words(ast.parse(old)) == _last_words(ast.parse(new))
    same = {symbol.symbol.name for symbol in found if not symbol.silent}
    before, after = _last_words(ast.parse(old)), _last_words(ast.parse(new))
    was = {symbol.was.name for symbol in found if symbol.was}
    for name in set(before) | set(after):
        if before.get(name) != after.get(name):
            assert name in same | was


def _last_words(tree: object) -> dict[str, str]:
    """Each name's definition that holds at the end, without its documentation."""
    import ast

    assert isinstance(tree, ast.Module)
    found = {}
    for node in tree.body:
        assert isinstance(node, ast.FunctionDef)
        body = node.body[1:] if ast.get_docstring(node) else node.body
        found[node.name] = ast.dump(node.args) + "".join(map(ast.dump, body))
    return found


def test_a_side_is_read_once_for_all() -> None:
    assert read_one_side("a.txt", b"x", find) is None
    assert read_one_side("a.py", b"((", find) is None
    side = read_one_side("a.py", b"x = 1\n", find)
    assert isinstance(side, Side)
    assert [digests.name for digests in side.digests] == ["", "x"]
