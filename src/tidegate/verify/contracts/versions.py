"""Whether the change raises the version that its own promise allows to break: the major one, before 1.0 the minor."""

from __future__ import annotations

import re

from tidegate.verify.contracts.values import Both, both_sides, shown
from tidegate.verify.values import Subject

_MANIFEST = re.compile(
    r"(^|/)(pyproject\.toml|setup\.cfg|setup\.py|package\.json|Chart\.ya?ml|Cargo\.toml|__init__\.py|_?version\.py|"
    r"__version__\.py|__about__\.py|VERSION|go\.mod)$"
)
_VERSION = re.compile(
    r"""^\s*["']?(?:__)?version(?:__)?["']?\s*(?::\s*[\w.]+\s*)?[=:]\s*["']?v?(\d+)\.(\d+)(\.\d+)?([\w.+-]*)""",
    re.MULTILINE | re.IGNORECASE,
)
_BARE = re.compile(r"\A\s*v?(\d+)\.(\d+)(\.\d+)?([\w.+-]*)\s*\Z")
_MODULE = re.compile(r"^module[ \t]+\"?[^\s\"]+?(?:/v(\d{1,6}))?\"?[ \t]*(?://.*)?$", re.MULTILINE)
LARGEST = 1_000_000


def raised(subject: Subject) -> dict[str, str]:
    """By folder, the breaking step of the version that the change makes there (`2.4.1 to 3.0.0`)."""
    steps = {}
    for both in both_sides(subject, lambda path: bool(_MANIFEST.search(path))):
        step = _step(both)
        if step:
            steps[shown(both.pair.after).rpartition("/")[0]] = step
    return steps


def step_for(path: str, steps: dict[str, str]) -> str:
    """The step that covers a file: that of a folder above it, or of its own package below `src`. "" if none does."""
    for folder, step in sorted(steps.items(), key=lambda one: -len(one[0])):
        if not folder or path.startswith(folder + "/"):
            return step
    return ""


# Private


def _step(both: Both) -> str:
    if both.before is None or both.after is None or max(len(both.before), len(both.after)) > LARGEST:
        return ""
    name = both.pair.after.rpartition("/")[2]
    old, new = (_read(content.decode("utf-8", "replace"), name) for content in (both.before, both.after))
    if old is None or new is None or new[0] <= old[0]:
        return ""
    (old_major, old_minor), (new_major, new_minor) = old[0], new[0]
    breaking = new_major > old_major or (new_major == old_major == 0 and new_minor > old_minor)
    return f"{old[1]} to {new[1]}" if breaking else ""


def _read(text: str, name: str) -> tuple[tuple[int, int], str] | None:
    if name == "go.mod":  # a module says its major version in its path, from the second on
        module = _MODULE.search(text)
        return ((int(module[1] or 1), 0), f"v{module[1] or 1}") if module else None
    found = (_BARE if name == "VERSION" else _VERSION).search(text)
    if found is None or len(found[1]) > 6 or len(found[2]) > 6:
        return None
    return (int(found[1]), int(found[2])), f"{found[1]}.{found[2]}{found[3] or ''}{found[4]}"
