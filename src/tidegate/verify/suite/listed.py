"""Lists in settings that leave something out of the tests, of coverage or of a linter, and that a change lengthens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from tidegate.change.values import show_path
from tidegate.facts import Severity
from tidegate.verify.suite.weakened import Weakening
from tidegate.verify.values import Subject

LARGEST_BYTES = 1 << 20


class Kind(Struct, frozen=True):
    """A list by its key. `longer` is whether the longer list is the looser one."""

    key: str
    rule: str
    severity: Severity
    words: str
    longer: bool = True
    files: str = r"."


def lengthened(subject: Subject, settings: re.Pattern[str]) -> Iterator[Weakening]:
    """What the change adds to such lists, or takes from those that say what is looked at. Moved entries are silent."""
    known = {file.path.decode("utf-8", "surrogateescape"): file for file in subject.change.files}
    pairs = [
        pair
        for pair in subject.trees.changed
        if pair.after and settings.search(pair.after) and pair.path in known and known[pair.path].by_hand
    ]
    old = subject.trees.before.read([pair.before for pair in pairs if pair.before])
    new = subject.trees.after.read([pair.after for pair in pairs])
    texts = [(pair.after, _text(old.get(pair.before)), _text(new.get(pair.after))) for pair in pairs]
    for kind in _KINDS:
        chosen = [one for one in texts if re.search(kind.files, one[0])]
        before = {item for _, was, _ in chosen for item in items(was, kind.key)}
        after = {item for _, _, now in chosen for item in items(now, kind.key)}
        for path, was, now in chosen:
            here = items(now, kind.key)
            changed = here - before if kind.longer else items(was, kind.key) - after
            if changed and was and (kind.longer or here):
                yield _of(kind, show_path(known[path].path), now, sorted(changed))


def items(text: str, key: str) -> frozenset[str]:
    """The entries of every list of this name in a file of TOML, INI, JSON, YAML, JavaScript, Ruby or Python."""
    found: set[str] = set()
    for one in re.finditer(rf"(?<![\w-])[\"']?(?:{key})[\"']?\s*(?:\+?=|:)[ \t]*", text):
        rest = text[one.end() : one.end() + 20_000]
        if rest.startswith(("[", "{", "(")):
            found.update(first or second for first, second in _QUOTED.findall(rest[: _end(rest)]))
        else:
            block = _BLOCK.match(rest)
            lines = (block[0] if block else "").split("\n")
            found.update(line.strip().strip("-,\"' ") for line in lines if not line.strip().startswith("#"))
    return frozenset(item for item in found if item)


# Private

_BLOCK = re.compile(r"[^\n]*(?:\n[ \t]+[^\s=][^\n=]*(?=\n|$))*")
_QUOTED = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'")
_OUT = "left out of coverage"
_KINDS = (
    Kind(r"omit|coveragePathIgnorePatterns", "coverage-excluded", "low", f"files are {_OUT}"),
    Kind(r"exclude_lines|exclude_also|partial_branches", "coverage-excluded", "low", f"lines are {_OUT}"),
    Kind(r"exclude", "coverage-excluded", "low", f"files are {_OUT}", files=r"\.nycrc|\.c8rc|tarpaulin"),
    Kind(r"ignore", "coverage-excluded", "low", f"files are {_OUT}", files=r"codecov\.ya?ml$"),
    Kind(r"sonar\.coverage\.exclusions", "coverage-excluded", "low", f"files are {_OUT}"),
    Kind(
        r"testPathIgnorePatterns|collect_ignore(?:_glob)?|norecursedirs|modulePathIgnorePatterns",
        "test-skipped",
        "medium",
        "tests are not collected",
    ),
    Kind(
        r"testpaths|python_files|python_functions|python_classes|testMatch",
        "test-skipped",
        "medium",
        "no longer among what is collected as tests",
        longer=False,
    ),
    Kind(
        r"(?:extend-)?select",
        "threshold-lowered",
        "low",
        "rules of ruff are no longer asked for",
        longer=False,
        files=r"pyproject\.toml$|ruff\.toml$",
    ),
    Kind(
        r"(?:extend-)?ignore|disable_error_code",
        "threshold-lowered",
        "note",
        "rules of a linter are left out",
        files=r"pyproject\.toml$|ruff\.toml$|mypy\.ini$|\.flake8$",
    ),
)


def _of(kind: Kind, path: str, text: str, changed: list[str]) -> Weakening:
    named = ", ".join(f"`{one[:60]}`" for one in changed[:3])
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    lines = text.split("\n")
    line = next((at for at, one in enumerate(lines, 1) if kind.longer and changed[0] in one), 0)
    line = line or next((at for at, one in enumerate(lines, 1) if re.search(kind.key, one)), 0)
    return Weakening(kind.rule, kind.severity, f"{kind.words}: {named}{more}", path, line, "put it back, or say why")


def _text(content: bytes | None) -> str:
    return "" if content is None or len(content) > LARGEST_BYTES else content.decode("utf-8", "replace")


def _end(text: str) -> int:
    """Where the bracket that a text begins with is closed."""
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign in "[{(") - (sign in "]})")
        if depth == 0:
            return at + 1
    return len(text)
