"""Takes secrets out of what code says, as they are taken out of plans."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tidegate.infra.terraform.sensitive import HELD, searched, secretive, taken
from tidegate.infra.terraform.stacks import Piece, Stack
from tidegate.infra.terraform.words import Text
from tidegate.infra.values import Hidden, Later, Value


class Cleaner:
    """Learns what is secret on both sides of a stack, then cleans every value. Equal secrets have the same number."""

    def __init__(self, stacks: Iterable[Stack]) -> None:
        self._numbers: dict[str, int] = {}
        self._sought: set[str] = set()
        for stack in stacks:
            for text in stack.secrets:
                self._note(text)
            for piece in stack.pieces.values():
                held = HELD.get(piece.type, frozenset())
                for name, value in piece.values.items():
                    self._learn(value, secretive(name) or (name in held and piece.type not in _MIXED))
                    if name in held and piece.type in _MIXED:
                        self._number(value)
        longest_first = sorted(filter(searched, self._sought), key=lambda one: (-len(one), one))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def clean(self, piece: Piece) -> dict[str, Value]:
        """The values of a resource without the secrets in them."""
        held = HELD.get(piece.type, frozenset())
        return {
            self.text(name): self._cleaned(value, name in held or secretive(name))
            for name, value in piece.values.items()
        }

    def text(self, text: str) -> str:
        """A text without the secrets in it."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: f"(sensitive {self._numbers[found[0]]})", text)

    # Private

    def _number(self, value: Value) -> None:
        """Secret where it stands, as much beside it that is none: not looked for elsewhere."""
        if isinstance(value, str):
            self._numbers.setdefault(value, len(self._numbers) + 1)
        for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
            self._number(inner)

    def _note(self, text: str) -> None:
        if text.strip():
            self._number(text)
            self._sought.add(text)

    def _learn(self, value: Value, secret: bool) -> None:
        if isinstance(value, str):
            if secret:
                self._note(value)
            for text in () if value.startswith("arn:") else taken(value):
                self._note(text)
        elif isinstance(value, Later):
            for text in taken(value.words):
                self._note(text)
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                self._learn(inner, secret or (not isinstance(inner, (Mapping, list)) and secretive(str(key))))
        elif isinstance(value, list):
            for one in value:
                self._learn(one, secret)

    def _cleaned(self, value: Value, secret: bool) -> Value:
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): self._cleaned(
                    inner, secret or (not isinstance(inner, (Mapping, list)) and secretive(str(key)))
                )
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self._cleaned(one, secret) for one in value]
        if isinstance(value, Text):
            return Text(self.text(value.words))
        if isinstance(value, Later):
            return Later(self.text(value.words))
        if isinstance(value, str):
            return Hidden(self._numbers[value]) if secret and value in self._numbers else self.text(value)
        return value


# Private

_MIXED = frozenset({"kubernetes_secret", "kubernetes_secret_v1", "kubernetes_secret_v1_data", "aws_ssm_parameter"})
"""Types whose values are hidden, but are often no secrets: the name of a database beside its password."""
