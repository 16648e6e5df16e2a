"""Thresholds that the change lowers, strictness that it switches off, and code that it leaves out of coverage."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tidegate.change.values import FileChange, Hunk, show_path
from tidegate.facts import Severity
from tidegate.verify.suite.listed import lengthened
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
    yield from lengthened(subject, SETTINGS)
    yield from _taken_away(subject)
    for file in subject.change.files:
        if file.vendored or file.binary or file.status == "deleted":
            continue
        path = show_path(file.path)
        if file.generated:
            continue
        if SETTINGS.search(path):
            for hunk in file.hunks if file.status != "added" else ():
                yield from _thresholds(hunk, path)
        elif file.kind == "source":
            yield from _pragmas(file, path, moved)


# Private

SETTINGS = re.compile(
    r"(^|/)(pyproject\.toml|setup\.cfg|tox\.ini|pytest\.ini|\.coveragerc|noxfile\.py|mypy\.ini|ruff\.toml|\.ruff\.toml|"
    r"package\.json|(jest|vitest|vite|stryker|karma|playwright|cypress)[\w.-]*\.(js|ts|mjs|cjs|mts|json)|"
    r"\.?codecov\.ya?ml|\.nycrc[\w.]*|"
    r"\.c8rc[\w.]*|tsconfig[\w.-]*\.json|\.eslintrc[\w.]*|eslint\.config\.\w+|Makefile|justfile|Cargo\.toml|pom\.xml|"
    r"build\.gradle(\.kts)?|\.simplecov|spec_helper\.rb|test_helper\.rb|conftest\.py|\.flake8|"
    r"\.rspec|tarpaulin\.toml|sonar-project\.properties)$"
    r"|(^|/)\.github/workflows/[^/]+\.ya?ml$|(^|/)\.(gitlab-ci|travis)\.yml$|(^|/)\.circleci/"
)
_THRESHOLD = re.compile(
    r"(?P<key>--cov-fail-under|--fail-under|fail[_-]under|minimum_coverage|minimum(?=\s*=)|"
    r"(?<![\w-])(?:branches|functions|lines|statements)(?![\w-])(?=[\"']?\s*:)|"
    r"mutation_score|min_msi|(?<![\w-])(?:break)(?=[\"']?\s*:)|mutationThreshold|coverageThreshold|"
    r"(?<![\w-])(?:target|threshold)(?=\s*:)|(?<=<)minimum(?=>)|--max-warnings|max-warnings|"
    r"max-complexity|max_complexity)[\"']?[\s:=(>]*(?:line:\s*|auto\s*)?[\"']?(?P<value>\d+(?:\.\d+)?)"
)
_STRICT = re.compile(
    r"^\s*[\"']?(?P<key>strict|strict_optional|disallow_\w+|warn_return_any|check_untyped_defs|warn_\w+|no_implicit_\w+|"
    r"warn_unused_ignores|xfail_strict|strictNullChecks|noImplicitAny|noUnusedLocals|noImplicitReturns|strict_equality|"
    r"strictFunctionTypes|noUncheckedIndexedAccess|useUnknownInCatchVariables|branch|checkJs|failOnWarning|"
    r"allWarningsAsErrors|failOnViolation|haltOnFailure|check_coverage|check-coverage)"
    r"[\"']?\s*[:=]\s*(?P<value>true|false|True|False)\b"
)
_LOOSE = re.compile(
    r"^\s*[\"']?(?P<key>ignore_errors|ignore_missing_imports|allow_untyped_defs|passWithNoTests|ignoreFailures|"
    r"testFailureIgnore|allowEmptyTests|failIfNoTests)[\"']?\s*[:=]\s*(?P<value>true|True)\b|"
    r"<(?P<tag>testFailureIgnore|skipTests|skip)>true<"
)
_FLAG = re.compile(
    r"(?P<key>--strict-markers|--strict-config|--strict(?![\w-])|-W[ =]?error\b|--failOnErrors|-Werror\b)"
)
_ESLINT = re.compile(r"^\s*[\"'](?P<key>[@\w/-]+)[\"']\s*:\s*\[?\s*[\"']?(?P<value>error|warn|off|[012])\b")
_RANK = {"error": 2, "2": 2, "warn": 1, "1": 1, "off": 0, "0": 0}
_RAISED_IS_LOOSE = ("max-warnings", "threshold", "max-complexity", "max_complexity")
_BARS = ("cov-fail-under", "fail-under", "fail_under", "minimum_coverage", "mutation_score", "min_msi", "minimum")
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


def _thresholds(hunk: Hunk, path: str) -> Iterator[Weakening]:
    old, new = _values(hunk.removed), _values(hunk.added)
    for key, values in old.items():
        fresh = new.get(key, [])
        for at, (value, _) in enumerate(values):
            if at >= len(fresh):
                continue
            later, line = fresh[at]
            loose = later > value if key in _RAISED_IS_LOOSE else later < value
            if key in ("target", "threshold") and "codecov" not in path:
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
    """Options that are switched from strict to loose. What is strict no more because its line is gone comes apart."""
    was = {one["key"] for line in hunk.removed if (one := _STRICT.search(_line(line))) and _on(one)}
    rules = {one["key"]: _RANK[one["value"]] for line in hunk.removed if (one := _ESLINT.search(_line(line)))}
    for at, raw in enumerate(hunk.added):
        line, words = _line(raw), ""
        if (found := _STRICT.search(line)) and not _on(found) and found["key"] in was:
            words = f"`{found['key']}` is switched off"
        elif (found := _LOOSE.search(line)) and not any(_LOOSE.search(_line(old)) for old in hunk.removed):
            words = f"`{line.strip()[:60]}` is switched on"
        elif "eslint" in path or path.endswith("package.json"):
            found = _ESLINT.search(line)
            if found and _RANK[found["value"]] < rules.get(found["key"], 0):
                words = f"the rule `{found['key']}` is {found['value']} now"
        if words:
            yield Weakening("threshold-lowered", "low", words, path, hunk.new_start + at, "put it back, or say why")


def _taken_away(subject: Subject) -> Iterator[Weakening]:
    """Bars and strict options whose lines are gone from all changed settings."""
    files = [file for file in subject.change.files if SETTINGS.search(show_path(file.path)) and file.by_hand]
    there = Counter(key for file in files for hunk in file.hunks for line in hunk.added for key in _bars(_line(line)))
    whole = subject.trees.after.read([file.path.decode("utf-8", "surrogateescape") for file in files])
    for file in files:
        if file.status == "deleted":
            continue
        rest = whole.get(file.path.decode("utf-8", "surrogateescape"), b"").decode("utf-8", "replace")
        strict = re.search(r"^\s*[\"']?strict[\"']?\s*[:=]\s*[Tt]rue", rest, re.MULTILINE)
        for hunk in file.hunks:
            for line in hunk.removed:
                for key in _bars(_line(line)):
                    if there[key] > 0 or (strict and key not in _BARS):
                        there[key] -= 1
                        continue
                    severity: Severity = "medium" if key in _BARS else "low"
                    words = f"`{_line(line).strip()[:70]}` is taken away"
                    place = max(1, hunk.new_start)
                    yield Weakening("threshold-lowered", severity, words, show_path(file.path), place, "put it back")


def _bars(line: str) -> Iterator[str]:
    yield from (one["key"].strip("-") for one in _THRESHOLD.finditer(line) if one["key"].strip("-") in _BARS)
    yield from (one["key"] for one in _FLAG.finditer(line))
    if found := _STRICT.search(line):
        yield found["key"]


def _line(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")[:2000]


def _on(found: re.Match[str]) -> bool:
    return found["value"].lower() == "true"


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
