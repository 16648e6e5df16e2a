"""The family of migrations: which files they are. Everything else is imported when one changes."""

from __future__ import annotations

from tidegate.change.trees import Pair, Trees
from tidegate.infra.sql.layouts import layout_of
from tidegate.infra.values import Found


def claims(path: str) -> bool:
    """Whether a file may be a migration or a dump of tables. Ways back, seeds and tests are none."""
    return layout_of(path).kind not in ("", "down")


def read(trees: Trees, pairs: tuple[Pair, ...]) -> Found:
    """What the changed migrations do."""
    from tidegate.infra.sql.changes import read_changes

    return read_changes(trees, pairs)
