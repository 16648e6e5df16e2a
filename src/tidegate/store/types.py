"""Text and numbers that both databases can keep, refused alike by both where one could not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeDecorator, TypeEngine

from tidegate.errors import InputError

LARGEST_NUMBER = 2**63 - 1


class ValueNotKeptError(InputError, DontWrapMixin):
    """A value that no column can keep: text with a NUL or half a character, a number past 64 bits."""


def check_words(text: str) -> str:
    """The text, if both databases can keep it. Raises ValueNotKeptError."""
    if "\0" in text or not (text.isascii() or all(not "\ud800" <= each <= "\udfff" for each in text)):
        raise ValueNotKeptError("a text holds a character that no database keeps", mend="leave out NUL")
    return text


class Words(TypeDecorator[str]):
    """Text. SQLite would take a NUL that PostgreSQL refuses, so neither gets one."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's
        return value if value is None else check_words(value)


class Number(TypeDecorator[int]):
    """A whole number of 64 bits."""

    impl = Integer
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "postgresql" else Integer())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002  SQLAlchemy's
        if value is not None and not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
            raise ValueNotKeptError("a number is larger than 64 bits")
        return value
