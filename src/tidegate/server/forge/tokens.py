"""A token that somebody made by hand, and the one that is to replace it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence


class Tokens:
    """The first one speaks; the next one from when the first has ended. `headers_of` says how the forge wants it."""

    def __init__(self, tokens: Sequence[bytes], headers_of: Callable[[str], Mapping[str, str]]) -> None:
        self._tokens = [token.decode("ascii", "replace") for token in tokens]
        self._headers_of = headers_of
        self._lock = threading.Lock()

    @property
    def text(self) -> str:
        return self._tokens[0]

    def headers(self) -> Mapping[str, str]:
        return self._headers_of(self.text)

    def renew(self, used: Mapping[str, str]) -> bool:
        """Whether there is another one than was used: several threads may notice the end at once."""
        with self._lock:
            if self._headers_of(self._tokens[0]) == used and len(self._tokens) > 1:
                self._tokens = self._tokens[1:]
            return self._headers_of(self._tokens[0]) != used
