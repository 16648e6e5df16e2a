"""How often a word stands in a file is told from a list of its words, as a search for each would tell it."""

from __future__ import annotations

import ast
import re

from hypothesis import given
from hypothesis import strategies as st

from tidegate.verify.debt.source import Source

WORDS = ("foo", "food", "_x", "x", "foo_bar", "é", "a·b", "ª")


@given(st.lists(st.sampled_from([*WORDS, " ", ".", "-", "\n", "(", "·"])).map("".join))
def test_words_are_counted_where_they_stand_alone(text: str) -> None:
    source = Source("a.py", "Python", text.encode())
    for word in WORDS:
        often = text.count(word)
        assert source.count(word) == (often if often < 2 else len(re.findall(rf"\b{re.escape(word)}\b", text)))


def test_a_node_is_walked_in_the_order_of_the_ast_module() -> None:
    source = Source(
        "a.py",
        "Python",
        b"def f(a, *, b=[1, {2: x}]):\n    for c in (d := a if not b else -c):\n        yield f(c).g\n",
    )
    assert source.python is not None
    left_out = ast.expr_context | ast.operator
    assert list(source.walk(source.python)) == [one for one in ast.walk(source.python) if not isinstance(one, left_out)]
