"""Operators of Terraform's language on values that may not be settled."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from tidegate.infra.same import number, same
from tidegate.infra.terraform.functions import unsettled
from tidegate.infra.terraform.words import later, words_of
from tidegate.infra.values import Value


def apply(sign: str, values: list[Value]) -> Value:
    """What one or two operands come to. `false && x` is false whatever x is."""
    flags = [_flag(one) for one in values]
    if sign == "!" and flags[0] is not None:
        return not flags[0]
    if sign in ("&&", "||"):
        decisive = sign == "||"
        if decisive in flags:
            return decisive
        if None not in flags:
            return not decisive
    if sign in ("==", "!=") and not any(map(unsettled, values)):
        equal = values[0] == values[1] if None in values else same(values[0], values[1])
        return equal if sign == "==" else not equal
    numbers = [number(one) for one in values]
    if sign == "-" and len(values) == 1 and numbers[0] is not None:
        return -numbers[0]
    if sign in _NUMERIC and len(numbers) == 2 and numbers[0] is not None and numbers[1] is not None:
        try:
            found = _NUMERIC[sign](numbers[0], numbers[1])
        except ArithmeticError:
            return later(f"{words_of(values[0])} {sign} {words_of(values[1])}")
        return int(found) if isinstance(found, float) and found.is_integer() and abs(found) < 1e15 else found
    if len(values) == 1:
        return later(f"{sign}{words_of(values[0])}")
    return later(f"{words_of(values[0])} {sign} {words_of(values[1])}")


# Private

_NUMERIC: Mapping[str, Callable[[float, float], float | bool]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def _flag(value: Value) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None
