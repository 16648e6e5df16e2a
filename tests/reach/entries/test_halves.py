"""The two halves of finders: marks of a file alone, kept with its blob; and what hostile files do."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reach.entries.tree import found, sources
from tidegate.reach.entries import FINDERS, Sources, find_entry_points, marks_of
from tidegate.reach.entries.chains import external, last, receiver, split
from tidegate.reach.entries.dialect import join_path
from tidegate.reach.entries.interface import Mark
from tidegate.reach.entries.literals import Tokens
from tidegate.reach.symbols import FileSymbols

TREE = {
    "a.py": "from flask import Flask\nfrom b import bp\napp = Flask(__name__)\napp.register_blueprint(bp)\n",
    "b.py": "from flask import Blueprint\nbp = Blueprint('b', 'b', url_prefix='/b')\n@bp.get('/x')\ndef x(): ...\n",
    "plain.py": "import os\ndef f(a):\n    return os.getcwd() + a\n",
    "routes.js": "const r = require('express').Router();\nr.get('/z', (q, s) => 1);\n",
}


def test_kept_marks_answer_like_fresh_ones_and_survive_storage() -> None:
    fresh = sources(TREE)
    marks = {path: marks_of(path, symbols) for path, symbols in fresh.files.items()}
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(marks), type=dict[str, tuple[Mark, ...]])
    assert stored == marks
    warm = Sources(fresh.files, fresh.paths, fresh.read, fresh.resolve, stored)
    assert find_entry_points(warm) == find_entry_points(fresh)
    assert [one.name for one in find_entry_points(fresh)] == ["GET /b/x", "GET {?}/z"]


def test_a_warm_run_does_not_look_at_files_without_marks() -> None:
    fresh = sources(TREE)
    marks = {path: marks_of(path, symbols) for path, symbols in fresh.files.items()}
    needed = {path: symbols for path, symbols in fresh.files.items() if path != "plain.py"}
    assert marks["plain.py"] == ()
    warm = Sources(needed, fresh.paths, fresh.read, fresh.resolve, marks)
    assert find_entry_points(warm) == find_entry_points(fresh)


def test_the_order_of_files_does_not_matter() -> None:
    fresh = sources(TREE)
    turned = Sources(dict(reversed(list(fresh.files.items()))), fresh.paths, fresh.read, fresh.resolve)
    assert find_entry_points(turned) == find_entry_points(fresh)


def test_every_finder_has_a_name_of_its_own_and_asks_for_something() -> None:
    assert len({finder.name for finder in FINDERS}) == len(FINDERS)
    for finder in FINDERS:
        assert (finder.marks is None) == (not finder.suffixes) == (not finder.needs), finder.name


def test_an_unread_file_has_no_marks() -> None:
    assert marks_of("a.py", FileSymbols(error="too large")) == ()


def test_routers_that_hold_each_other_end() -> None:
    tree = {
        "a.py": """
            from flask import Blueprint
            one = Blueprint("one", __name__, url_prefix="/1")
            two = Blueprint("two", __name__, url_prefix="/2")
            one.register_blueprint(two)
            two.register_blueprint(one)
            @one.get("/x")
            def x(): ...
        """
    }
    names = [line for line in found(tree) if line.endswith(" -> a.py:x")]
    assert names
    assert all("/x" in line for line in names)


def test_names_bound_to_each_other_end() -> None:
    lines = [f"    a{n} = a{n + 1} or a{n + 2} or b{n + 1}\n    b{n} = a{n + 1} or b{n + 2}\n" for n in range(60)]
    tree = {
        "a.py": "from flask import Flask\ndef f(a61, a62):\n" + "".join(lines) + "    @a0.get('/x')\n    def x(): ...\n"
    }
    assert len(found(tree)) <= 1


@pytest.mark.parametrize(
    "text", ["f(" * 20_000, "f({" * 5_000, "f('''", 'f("' + "a" * 200_000, "f(a,\n" * 10_000, "\0f(\xff)"]
)
@pytest.mark.parametrize("suffix", [".py", ".js", ".go", ".rs"])
def test_no_source_is_too_deep_for_its_literals(text: str, suffix: str) -> None:
    tokens = Tokens(text, suffix)
    node = tokens.call(1, "f")
    assert node is None or node.line >= 1
    assert tokens.value(1, "nobody") is None


@given(st.text(alphabet="fx(){}[],:='\"`\\/#* \n", max_size=80))
def test_any_text_has_tokens(text: str) -> None:
    for suffix in (".py", ".ts", ".rs"):
        tokens = Tokens(text, suffix)
        node = tokens.call(1, "f")
        assert node is None or node.end_line >= node.line >= 1
        tokens.value(1, "x")


def test_literals_of_calls_are_read_as_the_languages_write_them() -> None:
    node = Tokens("x = f(['a', \"b\"], key={'k': 1, 'w': [r'^c']}, g(\n 1), (u) => { h(',)') })", ".ts").call(1, "f")
    assert node is not None
    assert node.items[0].texts() == ("a", "b")
    assert node.end_line == 2
    key = node.get("key")
    assert key is not None
    assert key.kind == "map"
    go = Tokens('m.Match([]string{"GET", "PUT"}, "/x", h)', ".go").call(1, "Match")
    assert go is not None
    assert go.items[0].texts() == ("GET", "PUT")
    assert go.items[1].text == "/x"
    constant = Tokens('API: str = "/a" + \\\n "/b"\nNEXT = 1', ".py").value(1, "API")
    assert constant is not None
    assert constant.text == "/a/b"


def test_chains_are_taken_apart() -> None:
    assert split("<a.b>.c()[]") == ("<a.b>", (".c", "()", "[]"))
    assert [last(one) for one in ("app.get", "get", "<a.b>", "<a/b>.C()", "a().b!")] == ["get", "get", "", "C", "b"]
    assert [receiver(one) for one in ("app.get", "get", "<a.b>.c", "a.b().c")] == ["app", "", "<a.b>", "a.b()"]
    assert external("<github.com/labstack/echo/v4>.New()") == ("github.com/labstack/echo", "New")
    assert external("<flask.views>.MethodView") == ("flask", "MethodView")
    assert external("<express>.default.Router()") == ("express", "Router")
    assert external("app.get") == ("", "")


@pytest.mark.parametrize(
    ("prefix", "path", "whole"),
    [
        ("", "", "/"),
        ("", "/", "/"),
        ("/a", "", "/a"),
        ("/a", "/", "/a"),
        ("/a/", "b", "/a/b"),
        ("", "b/", "/b/"),
        ("{?}", "/x", "{?}/x"),
        ("", "{?}", "{?}"),
        ("/", "/x", "/x"),
    ],
)
def test_paths_are_joined_with_one_slash(prefix: str, path: str, whole: str) -> None:
    assert join_path(prefix, path) == whole
