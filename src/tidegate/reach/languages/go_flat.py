"""The plainest calls and statements of Go by their text alone: `a.b(c, "d")`, `x, err := f(y)`, `return nil, err`.

Two thirds of all calls look like this. Reading them without their nodes says the same, in half the time.
"""

from __future__ import annotations

import re

_NAME = r"[A-Za-z_]\w*"
_PATH = rf"{_NAME}(?:\.{_NAME})*"
_ITEM = rf"(?:{_PATH}|\"[^\"\\\n]*\"|\d+)"
_ITEMS = rf"{_ITEM}(?:, {_ITEM})*"
_CALL = rf"({_PATH})\(((?:{_ITEMS})?)\)"

flat_call = re.compile(_CALL).fullmatch
"""Groups: the callee, the arguments."""
flat_definition = re.compile(rf"({_NAME}(?:, {_NAME})*) := {_CALL}").fullmatch
"""Groups: the names, the callee, the arguments."""
flat_return = re.compile(rf"return(?: ({_ITEMS}))?").fullmatch
"""Group: the values."""
flat_item = re.compile(_ITEM).fullmatch
flat_field = re.compile(rf"({_NAME}): *({_ITEM})").fullmatch
"""Groups: the name of the field, its value."""
flat_items = re.compile(_ITEM).findall
LONGEST = 160
WORDS = {"nil": "?", "true": "%bool", "false": "%bool", "iota": "%int"}
