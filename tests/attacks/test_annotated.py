"""A file whose annotations are followed by what a reader would go through again and again."""

from __future__ import annotations

import time

import pytest

from tidegate.verify.access.marked import read
from tidegate.verify.access.text import Braced
from tidegate.verify.access.values import Unit

MARK = '@PreAuthorize("hasRole(1)")'


@pytest.mark.parametrize("behind", [" " * 2_000, "x " * 1_000, "/* " + "a" * 2_000 + " */", "public " * 300])
def test_what_stands_behind_an_annotation_costs_little(behind: str) -> None:
    before = time.process_time()
    read(Braced(f"class A {{\n{MARK}{behind}!\n}}\n" * 10), {})
    assert time.process_time() - before < 3


@pytest.mark.parametrize(
    "head", ["public String list()", "fun <T> list()", "List<Map<String, Int>>   list(", "\n  list()"]
)
def test_the_method_behind_it_is_still_known(head: str) -> None:
    units: dict[str, Unit] = {}
    read(Braced(f"class A {{\n{MARK}\n  {head} {{ }}\n}}\n"), units)
    assert any(name.endswith("list") for name in units)
