"""WHAT A FILE SAYS, one file per language. A language is one file here and one line in LANGUAGES."""

from __future__ import annotations

from tidegate.reach.languages.interface import Language
from tidegate.reach.languages.python import PYTHON

LANGUAGES: tuple[Language, ...] = (PYTHON,)
"""Every language that is read, in a fixed order."""


def language_of(path: str) -> Language | None:
    """The language of a file by its suffix, or None where no reader exists."""
    suffix = "." + path.rpartition("/")[2].rpartition(".")[2].lower()
    return next((language for language in LANGUAGES if suffix in language.suffixes), None)
