"""What an entry of the table of sensitive areas is made of."""

from __future__ import annotations

from msgspec import Struct

WORKFLOWS = (".github/workflows/**", "**/.github/actions/**", "action.yml", "action.yaml")
PYTHON = ("*.py", "*.pyi", "*.pyx", "*.ipynb")
SCRIPT = ("*.js", "*.jsx", "*.mjs", "*.cjs", "*.ts", "*.tsx", "*.mts", "*.cts", "*.vue", "*.svelte")
JVM = ("*.java", "*.kt", "*.kts", "*.scala", "*.groovy")


class Search(Struct, frozen=True):
    """One RE2 pattern for changed lines, if need be only in files with some names.

    `unless` is what takes a line out again. With `hide` a reason shows no more than the beginning of what was found.
    """

    pattern: str
    files: tuple[str, ...] = ()
    unless: str = ""
    hide: bool = False


class Domain(Struct, frozen=True):
    """One sensitive area: what it means, and how a file comes to belong to it."""

    name: str
    meaning: str
    critical: bool
    paths: tuple[str, ...] = ()
    content: tuple[str | Search, ...] = ()
    ignore: tuple[str, ...] = ()
    everywhere: bool = False
