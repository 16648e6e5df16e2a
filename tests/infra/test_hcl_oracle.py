"""Our reader of Terraform's language against python-hcl2, on public code: the same blocks, the same literals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tidegate.infra.terraform.hcl import read_hcl
from tidegate.infra.terraform.syntax import Block, Literal

pytestmark = pytest.mark.conformance
NO_BLOCK = ("__is_block__", "__comments__", "__inline_comments__")


def test_the_same_blocks_and_literals_as_python_hcl2(data: Path) -> None:
    files = sorted(path for path in (data / "iac").rglob("*.tf") if path.stat().st_size)
    assert len(files) > 20
    blocks = literals = 0
    for path in files:
        text = path.read_text()
        ours, theirs = list(_ours(read_hcl(text, str(path)).blocks)), list(_theirs(hcl2.loads(text + "\n")))
        assert sorted(map(repr, ours)) == sorted(map(repr, theirs)), path
        blocks += sum(value is None for _, value in ours)
        literals += sum(value is not None for _, value in ours)
    print(f"{len(files)} files: {blocks} blocks and {literals} literals alike")  # noqa: T201
    assert blocks > 100
    assert literals > 300


def _ours(blocks: tuple[Block, ...], at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    for block in blocks:
        here = (*at, block.kind, *block.labels)
        yield here, None
        for name, expression in block.attributes.items():
            if isinstance(expression, Literal) and _is_plain(expression.value):
                yield (*here, name), expression.value
        yield from _ours(block.blocks, here)


def _is_plain(value: object) -> bool:
    """Whether both write it alike: a text without escapes and directives, a flag, a whole number."""
    if isinstance(value, str):
        return not {"\\", "\n"} & set(value) and "%{" not in value
    return isinstance(value, (bool, int))


def _theirs(body: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, value in body.items():
        if name in NO_BLOCK:
            continue
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value) and _holds_block(value[0]):
            for one in value:
                yield from _their_block(one, (*at, name))
        elif isinstance(value, (bool, int)):
            yield (*at, name), value
        elif isinstance(value, str) and value[:1] == '"' and _is_plain(value) and "${" not in value:
            yield (*at, name), value[1:-1]


def _holds_block(value: Mapping[str, Any]) -> bool:
    return "__is_block__" in value or any(isinstance(one, dict) and _holds_block(one) for one in value.values())


def _their_block(value: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    if "__is_block__" in value:
        yield at, None
        yield from _theirs(value, at)
        return
    for label, inner in value.items():
        yield from _their_block(inner, (*at, label.strip('"')))
