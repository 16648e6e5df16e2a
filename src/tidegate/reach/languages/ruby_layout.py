"""Where `require` leads: relative to the file, or below any folder that is commonly on the load path.

A spec that begins with a capital is a constant, found where Zeitwerk expects it: `Admin::UserMailer` in
`admin/user_mailer.rb` below `lib` or a folder of `app`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

_ROOT = re.compile(r"(?:^|/)(?:lib|test|spec|app/[^/]+(?:/concerns)?)/")
_WORDS = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class RubyLayout:
    """The files of a tree by what they can be required as."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = frozenset(paths)
        self._by_name: dict[str, list[str]] = {}
        for path in sorted(self._paths):
            if path.endswith(".rb"):
                stem = path[:-3]
                for start in {0, *(found.end() for found in _roots(path))}:
                    self._by_name.setdefault(stem[start:], []).append(path)

    def find(self, spec: str, path: str) -> tuple[str, ...]:
        if spec.startswith("."):
            wanted = posixpath.normpath(posixpath.join(posixpath.dirname(path), spec))
            return tuple(found for found in (f"{wanted}.rb", wanted) if found in self._paths)[:1]
        if spec[:1].isupper():
            spec = _WORDS.sub("_", spec.replace("::", "/").replace(".", "/")).lower()
        return tuple(self._by_name.get(spec.removesuffix(".rb"), ()))

    def visible(self, path: str) -> tuple[str, ...]:  # noqa: ARG002
        return ()


def _roots(path: str) -> Iterable[re.Match[str]]:
    """Every root above the path, also those inside of others (`lib/x/lib/`, `app/models/concerns/`)."""
    at = 0
    while found := _ROOT.search(path, at):
        yield found
        at = found.end() - 1
    concerns = re.search(r"(?:^|/)app/[^/]+/", path)
    if concerns:
        yield concerns
