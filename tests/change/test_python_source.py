"""Sources of a newer Python are read on every Python, with each line where it was."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.change.python_source import in_older_words, parse_python

NEWER = b"""
type Pair[T] = tuple[T, T]
type Name = str


def first[T: (int, str), *Ts, **P](given: list[T]) -> T:
    return given[0]


async def many[
    K,
    V: dict[str, int],
](given: dict[K, V]) -> K:
    try:
        return next(iter(given))
    except KeyError, ValueError:
        raise
    except* (OSError, EOFError):
        raise


class Box[T](list[T]):
    def shown(self) -> str:
        return t"{self}" + rt"\\d{self}"
"""


def test_what_is_newer_is_read_where_it_stands() -> None:
    older = in_older_words(NEWER.replace(b"    except* (OSError, EOFError):\n        raise\n", b""))
    tree = ast.parse(older, feature_version=(3, 11))
    names = {node.name: node.lineno for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert names == {"first": 6, "Box": 20, "shown": 21}
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)] == [10]
    (caught,) = (node.type for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))
    assert isinstance(caught, ast.Tuple)
    assert [ast.unparse(each) for each in caught.elts] == ["KeyError", "ValueError"]
    assert [ast.unparse(node.targets[0]) for node in tree.body if isinstance(node, ast.Assign)] == ["Pair", "Name"]


def test_each_is_read_by_itself() -> None:
    for source in (
        b"type X = int\n",
        b"def f[T](a): pass\n",
        b"class A[T]: pass\n",
        b"try:\n    pass\nexcept A, B:\n    pass\n",
        b"x = t'{a}'\n",
    ):
        assert len(parse_python(source).body) == 1


@pytest.mark.parametrize("source", [b"def f(:\n", b"except A, B:\n", b"class A[:\n pass\n", b"type = [1\n"])
def test_what_is_no_python_is_refused_as_ever(source: bytes) -> None:
    with pytest.raises(SyntaxError) as told:
        ast.parse(source)
    with pytest.raises(SyntaxError) as again:
        parse_python(source)
    assert again.value.lineno == told.value.lineno


def test_words_that_only_look_newer_stay() -> None:
    source = b'type = dict\ntype[str]\nx = {"type": [1]}\nabout"\n'
    assert in_older_words(source) == source


@given(
    st.lists(st.sampled_from([b"def f", b"[", b"]", b"T", b"\n", b"type X", b"=", b" ", b"except A, B:", b"class A"]))
)
def test_no_line_moves(parts: list[bytes]) -> None:
    source = b"".join(parts)
    assert in_older_words(source).count(b"\n") == source.count(b"\n")


def test_long_brackets_cost_little() -> None:
    source = b"def f[\n" * 100_000
    assert in_older_words(source) == source
    closed = b"def f[T]\n" * 50_000
    assert in_older_words(closed) == b"def f   \n" * 50_000
