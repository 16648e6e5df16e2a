"""The page of every rule and every finding: what it means, why it is there, how to satisfy it, how to tune it."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from tidegate.errors import InputError
from tidegate.settings import nearest


def page_ids() -> tuple[str, ...]:
    """The ids of all rules and findings that have a page, in alphabetical order."""
    names = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(name.removesuffix(".md") for name in names if name.endswith(".md")))


def read_page(id_: str) -> str:
    """The page of a rule or a finding, in Markdown. Raises InputError for an id that has none."""
    ids = page_ids()
    if id_ not in ids:
        near = nearest(id_, ids)
        listed = "list them: tidegate explain; a rule of your own: tidegate policy explain ID"
        raise InputError(f"there is no page on {id_}", mend=near if near.startswith("did you mean") else listed)
    return (_folder() / f"{id_}.md").read_text(encoding="utf-8")


# Private


def _folder() -> Traversable:
    return files("tidegate.policy") / "pages"
