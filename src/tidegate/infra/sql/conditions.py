"""Conditions that hold for every row: a DELETE with one is a DELETE of everything."""

from __future__ import annotations

from tidegate.infra.sql.lexer import Statement, Token

_DEEPEST = 30


def always(condition: Statement | None, deepest: int = _DEEPEST) -> bool:
    """Whether a condition is none or holds for every row: `true`, `1=1`, `id = id`, `x OR 1=1`, `id IS NOT NULL`.

    What cannot be told is taken to choose rows, unless it is nested deeper than anybody writes.
    """
    if condition is None:
        return True
    kept = _unwrapped(condition)
    if not deepest or (kept and _is_one_group(kept) and _is(kept[0], "(")):
        return True
    if any(_is(token, "OR") for token in _outer(kept)):
        return any(always(part, deepest - 1) for part in _parts(kept, "OR"))
    if any(_is(token, "AND") for token in _outer(kept)) and not any(_is(token, "BETWEEN") for token in kept):
        return all(always(part, deepest - 1) for part in _parts(kept, "AND"))
    return _holds(kept)


# Private


def _holds(kept: Statement) -> bool:
    words = [token.upper or token.text for token in kept]
    if len(kept) == 1:
        return words[0] == "TRUE" or (kept[0].kind == "number" and float(words[0]) != 0)
    if words[:1] == ["NOT"] and words[1:] in (["FALSE"], ["0"]):
        return True
    if words[-3:] == ["IS", "NOT", "NULL"]:
        return words[0] in ("ID", "UUID") or (len(kept) > 4 and words[-4] in ("ID", "UUID"))
    for sign in ("=", "<=", ">=", "LIKE"):
        if words.count(sign) == 1:
            place = words.index(sign)
            left, right = kept[:place], kept[place + 1 :]
            if _same(left, right):
                return True
            if sign == "LIKE" and [token.text for token in right] == ["%"]:
                return True
    for sign in ("<>", "!=", "<", ">"):
        if words.count(sign) == 1 and len(kept) == 3:
            return _compares(kept[0], sign, kept[2])
    return False


def _same(left: Statement, right: Statement) -> bool:
    return [(token.kind, token.text.lower()) for token in left] == [(token.kind, token.text.lower()) for token in right]


def _compares(left: Token, sign: str, right: Token) -> bool:
    """Whether two constants that differ are as the sign says."""
    if left.kind not in ("number", "string") or right.kind not in ("number", "string"):
        return False
    if sign in ("<>", "!="):
        return left.text != right.text
    if left.kind != "number" or right.kind != "number":
        return False
    one, other = float(left.text), float(right.text)
    return one < other if sign == "<" else one > other


def _unwrapped(condition: Statement) -> Statement:
    for _ in range(_DEEPEST):
        if len(condition) < 3 or not (_is(condition[0], "(") and _is(condition[-1], ")") and _is_one_group(condition)):
            break
        condition = condition[1:-1]
    return condition


def _is_one_group(condition: Statement) -> bool:
    depth = 0
    for place, token in enumerate(condition):
        depth += _step(token)
        if depth == 0:
            return place == len(condition) - 1
    return False


def _outer(condition: Statement) -> Statement:
    kept, depth = [], 0
    for token in condition:
        if depth == 0:
            kept.append(token)
        depth += _step(token)
    return tuple(kept)


def _parts(condition: Statement, word: str) -> list[Statement]:
    found: list[list[Token]] = [[]]
    depth = 0
    for token in condition:
        if depth == 0 and _is(token, word):
            found.append([])
            continue
        depth += _step(token)
        found[-1].append(token)
    return [tuple(part) for part in found if part]


def _step(token: Token) -> int:
    return 1 if _is(token, "(") else -1 if _is(token, ")") else 0


def _is(token: Token, word: str) -> bool:
    return token.upper == word
