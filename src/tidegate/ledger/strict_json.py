"""JSON that has one meaning and one spelling: what two parsers could read differently is refused.

No duplicate keys, no NaN, no fractions, no integer that a double cannot hold, no lone surrogates, bounded size and
depth. The canonical spelling is that of RFC 8785, which for such documents is sorted keys without white space.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from tidegate.errors import InputError

MAX_DEPTH = 12
MAX_INTEGER = 2**53 - 1


class JsonError(InputError):
    """This JSON could be read in more than one way, or is too large, or none at all."""


def load_canonical(data: bytes, max_bytes: int) -> Any:
    """The document. Raises JsonError unless it is the canonical spelling of itself."""
    document = load_strict(data, max_bytes)
    if canonical(document) != data:
        raise JsonError("the JSON is not in its canonical spelling", mend="sort the keys and leave out white space")
    return document


def load_strict(data: bytes, max_bytes: int) -> Any:
    """The document, however it is spelt. Raises JsonError for anything ambiguous."""
    if len(data) > max_bytes:
        raise JsonError(f"a document has {len(data)} bytes, and {max_bytes} are the most")
    try:
        document = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_number,
            parse_float=_refuse_number,
            parse_int=_integer,
        )
    except RecursionError as error:
        raise JsonError("the JSON is too deep") from error
    except ValueError as error:
        raise JsonError("this is no JSON") from error
    _check_depth(document, MAX_DEPTH)
    return document


def canonical(document: Any) -> bytes:
    """The document in RFC 8785's spelling. Raises JsonError for what that spelling cannot hold."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        return text.encode("utf-8")
    except (UnicodeEncodeError, ValueError, TypeError, RecursionError) as error:
        raise JsonError("this cannot be written as JSON") from error


# Private


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise JsonError("a key stands twice in the JSON")
    # RFC 8785 sorts by UTF-16 code units and Python by code points; for ASCII they are one.
    if not all(map(str.isascii, document)):
        raise JsonError("a key in the JSON is not ASCII")
    return document


def _refuse_number(text: str) -> NoReturn:
    raise JsonError(f"{text[:20]} is no integer", mend="write a fraction as text")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER or text == "-0":
        raise JsonError(f"the integer {text[:20]} cannot be read everywhere", mend="write it as text")
    return int(text)


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise JsonError("the JSON is too deep")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        if isinstance(item, (dict, list)):
            _check_depth(item, left - 1)
