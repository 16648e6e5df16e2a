"""Frozen values for a hook that is started anew for every command: loading msgspec costs more than most judgements.

Written, compared and copied like `msgspec.Struct(frozen=True)`: fields are the annotations of the class, in order.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, dataclass_transform

    _Value = TypeVar("_Value", bound="Frozen")
else:

    def dataclass_transform(**_: object) -> Callable[[type], type]:
        """Only type checkers need the real one."""
        return lambda kind: kind


@dataclass_transform(frozen_default=True)
class Frozen:
    """Base of every value of the guard."""

    _fields = tuple[str, ...]()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)

    def __init__(self, *given: Any, **named: Any) -> None:
        own, fields = self.__dict__, self._fields
        if len(given) > len(fields) or not named.keys() <= set(fields[len(given) :]):
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(fields)}")
        for name in fields[len(given) :]:
            own[name] = named[name] if name in named else getattr(type(self), name)
        own.update(zip(fields, given, strict=False))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} does not change")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        own = self.__dict__
        return hash((type(self), *(own[name] for name in self._fields)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"


def replace(value: _Value, **changes: Any) -> _Value:
    """The same value with some fields changed."""
    return type(value)(**{**value.__dict__, **changes})
