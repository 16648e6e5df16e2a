"""WHAT A FILE SAYS, one file per language. A language is one file here and one line in LANGUAGES."""

from __future__ import annotations

from tidegate.reach.languages.c import CPP, C
from tidegate.reach.languages.go import GO
from tidegate.reach.languages.interface import Language
from tidegate.reach.languages.java import JAVA
from tidegate.reach.languages.javascript import JAVASCRIPT
from tidegate.reach.languages.kotlin import KOTLIN
from tidegate.reach.languages.python import PYTHON
from tidegate.reach.languages.ruby import RUBY
from tidegate.reach.languages.rust import RUST
from tidegate.reach.languages.typescript import TYPESCRIPT

LANGUAGES: tuple[Language, ...] = (PYTHON, JAVASCRIPT, TYPESCRIPT, GO, JAVA, KOTLIN, RUST, RUBY, C, CPP)
"""Every language that is read, in a fixed order."""


def language_of(path: str) -> Language | None:
    """The language of a file by its suffix, or None where no reader exists."""
    suffix = "." + path.rpartition("/")[2].rpartition(".")[2].lower()
    return next((language for language in LANGUAGES if suffix in language.suffixes), None)


_TOGETHER = {"TypeScript": "JavaScript", "Kotlin": "Java", "C++": "C"}


def family_of(path: str) -> str:
    """The name of the language whose files can call this file's: that of JavaScript for TypeScript, and so on."""
    language = language_of(path)
    return _TOGETHER.get(language.name, language.name) if language is not None else ""
