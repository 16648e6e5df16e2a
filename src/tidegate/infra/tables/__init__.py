"""Facts about clouds that no change says itself: JSON that tools in `tools/tables` make, and lists by hand as text."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec


@cache
def table(name: str) -> Any:
    """A table by its name without `.json`, read once."""
    return msgspec.json.decode(files(__name__).joinpath(f"{name}.json").read_bytes())


def lines(name: str) -> list[list[str]]:
    """The lines of a list by its name without `.txt`, as their words. `#` starts a comment line."""
    text = files(__name__).joinpath(f"{name}.txt").read_text("utf-8")
    return [line.split() for line in text.split("\n") if line.strip() and not line.startswith("#")]
