"""Thresholds that the change lowers, strictness that it switches off, and code that it leaves out of coverage."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tidegate.change.values import FileChange, Hunk, show_path
from tidegate.facts import Severity
from tidegate.verify.suite.weakened import Weakening
from tidegate.verify.values import Subject


def lowered(subject: Subject) -> Iterator[Weakening]:
    """What the change takes back from the bar that tests have to reach."""
    moved = Counter(
        line
        for file in subject.change.files
        if file.kind == "source"
        for line in _removed(file)
        if _PRAGMA.search(line)
    )
    for file in subject.change.files:
        if file.vendored or file.binary or file.status == "deleted":
            continue
        path = show_path(file.path)
        if file.generated:
            continue
        if _SETTINGS.search(path):
            for hunk in file.hunks:
                yield from _thresholds(hunk, path)
                yield from _left_out(hunk, path)
        elif file.kind == "source":
            yield from _pragmas(file, path, moved)


# Private

_SETTINGS = re.compile(
    r"(^|/)(pyproject\.toml|setup\.cfg|tox\.ini|pytest\.ini|\.coveragerc|noxfile\.py|mypy\.ini|ruff\.toml|\.ruff\.toml|"
    r"package\.json|(jest|vitest|vite|stryker|karma)[\w.-]*\.(js|ts|mjs|cjs|mts|json)|\.?codecov\.ya?ml|\.nycrc[\w.]*|"
    r"\.c8rc[\w.]*|tsconfig[\w.-]*\.json|\.eslintrc[\w.]*|eslint\.config\.\w+|Makefile|justfile|Cargo\.toml|pom\.xml|"
    r"build\.gradle(\.kts)?|\.simplecov|spec_helper\.rb|test_helper\.rb|conftest\.py|\.flake8)$"
    r"|(^|/)\.github/workflows/[^/]+\.ya?ml$|(^|/)\.(gitlab-ci|travis)\.yml$|(^|/)\.circleci/"
)
_THRESHOLD = re.compile(
    r"(?P<key>--cov-fail-under|--fail-under|fail[_-]under|minimum_coverage|"
    r"(?<![\w-])(?:branches|functions|lines|statements)(?![\w-])(?=[\"']?\s*:)|"
    r"mutation_score|min_msi|(?<![\w-])(?:break)(?=[\"']?\s*:)|mutationThreshold|coverageThreshold|(?<![\w-])target(?=\s*:)|"
    r"(?<=<minimum>)|--max-warnings|max-warnings)[\"']?[\s:=(]*[\"']?(?P<value>\d+(?:\.\d+)?)"
)
_STRICT = re.compile(
    r"^\s*[\"']?(strict|strict_optional|disallow_untyped_defs|disallow_any_generics|warn_return_any|check_untyped_defs|"
    r"warn_unused_ignores|xfail_strict|strictNullChecks|noImplicitAny|noUnusedLocals|noImplicitReturns|strict_equality)"
    r"[\"']?\s*[:=]\s*(?P<value>true|false|True|False)\b"
)
_RAISED_IS_LOOSE = ("--max-warnings", "max-warnings")
_PRAGMA = re.compile(
    r"#\s*pragma:\s*no\s*(cover|branch|mutate)|/[*/]\s*(istanbul|c8|v8)\s+ignore|cfg_attr\([^)]*coverage\(off\)|"
    r"#\[coverage\(off\)\]|cfg\(not\(tarpaulin|tarpaulin::skip|:nocov:|LCOV_EXCL|GCOVR_EXCL|@Generated\(\"jacoco|"
    r"@ExcludeFromJacoco|ExcludeFromCodeCoverage|#\s*nocov|//\s*coverage:ignore"
)
_USUAL = re.compile(
    r"TYPE_CHECKING|__main__|NotImplementedError|@(abc\.)?abstractmethod|@(typing\.)?overload|sys\.version_info|"
    r"sys\.platform|ImportError|ModuleNotFoundError|assert_never|\bos\.name|def __repr__|"
    r"# pragma: no cover\s*#|\.\.\.\s*#|"
    r"^(from|import) |unreachable|pypy|PyPy|@(t\.)?overload|platform\.|_PY|PY\d|\bpass\s*#|raise AssertionError"
)
_BRANCH = re.compile(r"#\s*pragma:\s*no\s*branch")
_OMIT = re.compile(rb"^\s*[\"']?(omit|coveragePathIgnorePatterns)[\"']?\s*[:=]")


def _thresholds(hunk: Hunk, path: str) -> Iterator[Weakening]:
    old, new = _values(hunk.removed), _values(hunk.added)
    for key, values in old.items():
        fresh = new.get(key, [])
        for at, (value, _) in enumerate(values):
            if at >= len(fresh):
                continue
            later, line = fresh[at]
            loose = later > value if key in _RAISED_IS_LOOSE else later < value
            if key == "target" and "codecov" not in path:
                continue
            if loose:
                words = f"`{key}` goes from {value:g} to {later:g}"
                yield Weakening("threshold-lowered", "medium", words, path, hunk.new_start + line, "put it back")
    yield from _strictness(hunk, path)


def _values(lines: tuple[bytes, ...]) -> dict[str, list[tuple[float, int]]]:
    found: dict[str, list[tuple[float, int]]] = {}
    for at, line in enumerate(lines):
        for one in _THRESHOLD.finditer(line.decode("utf-8", "replace")[:2000]):
            found.setdefault(one["key"].strip("-"), []).append((float(one["value"]), at))
    return found


def _strictness(hunk: Hunk, path: str) -> Iterator[Weakening]:
    was = {one[1] for line in hunk.removed if (one := _STRICT.search(line.decode("utf-8", "replace"))) and _on(one)}
    for at, line in enumerate(hunk.added):
        found = _STRICT.search(line.decode("utf-8", "replace"))
        if found and not _on(found) and found[1] in was:
            words = f"`{found[1]}` is switched off"
            yield Weakening("threshold-lowered", "low", words, path, hunk.new_start + at, "switch it on again")


def _on(found: re.Match[str]) -> bool:
    return found["value"].lower() == "true"


def _left_out(hunk: Hunk, path: str) -> Iterator[Weakening]:
    old = any(_OMIT.search(line) for line in hunk.removed)
    for at, raw in enumerate(hunk.added):
        line = raw.decode("utf-8", "replace")
        if _OMIT.search(raw) and not old:
            words = f"files are left out of coverage: `{line.strip()[:80]}`"
            yield Weakening(
                "coverage-excluded", "low", words, path, hunk.new_start + at, "measure them, or say why not"
            )


def _pragmas(file: FileChange, path: str, moved: Counter[str]) -> Iterator[Weakening]:
    """Lines that a file leaves out of coverage, more of them than before; `moved` are those taken away elsewhere."""
    fresh = [
        (hunk.new_start + at, text)
        for hunk in file.hunks
        for at, raw in enumerate(hunk.added)
        if _PRAGMA.search(text := raw.decode("utf-8", "replace").strip()) and not _USUAL.search(text)
    ]
    left = len(fresh) - sum(bool(_PRAGMA.search(line)) for line in _removed(file))
    for line, text in fresh:
        if moved[text] > 0:
            moved[text] -= 1
        elif left > 0:
            left -= 1
            words = f"a line is left out of coverage: `{text[:90]}`"
            severity: Severity = "note" if _BRANCH.search(text) else "low"
            yield Weakening("coverage-excluded", severity, words, path, line, "test it, or say why it cannot be")


def _removed(file: FileChange) -> Iterator[str]:
    for hunk in file.hunks:
        for raw in hunk.removed:
            yield raw.decode("utf-8", "replace").strip()
