"""Lines by which tests are let off: retries, longer time limits, warnings that count no more, linters kept silent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.change.values import FileChange, Hunk, show_path
from tidegate.facts import Severity
from tidegate.verify.suite.weakened import Weakening
from tidegate.verify.values import Subject


def lenient(subject: Subject, settings: re.Pattern[str]) -> Iterator[Weakening]:
    """What the change forgives the tests, in files of tests and in settings."""
    for file in subject.change.files:
        path = show_path(file.path)
        if not file.by_hand or file.status in ("added", "deleted"):
            continue
        if file.kind == "test" or settings.search(path):
            yield from _retries(file, path)
            yield from _warnings(file, path)
            for hunk in file.hunks:
                yield from _longer(hunk, path)
        if file.kind == "test":
            yield from _silenced(file, path)


# Private

_RETRY = re.compile(
    r"\bjest\.retryTimes\(|\bthis\.retries\(|^\s*[\"']?(test)?retr(y|ies)[\"']?\s*[:=]\s*[\"']?[1-9]|--reruns\b|\breruns\s*[=:]|"
    r"@(RetryingTest|RetryTest|Retry|RepeatedIfExceptionsTest|Flaky)\b|@retry\b|\bverify_try_again|rspec[/-]retry|"
    r"\bretry:\s*[1-9]|rerunFailingTestsCount>[1-9]|\bmaxRetries\s*(=|\.set)|--flake-attempts|--rerun-fails|--force-flaky",
    re.IGNORECASE,
)
_TIMING = re.compile(
    r"setTimeout|testTimeout|hookTimeout|mark\.timeout|@Timeout|@Test\(timeout|this\.timeout|--timeout|wait_?time|"
    r"default_max_wait_time|waitFor|Eventually|time_?limit|deadline|^\s*[\"']?timeout[\"']?\s*[:=]|time\.After|atMost",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.])\d[\d_]*(?:\.\d+)?")
_IGNORED = re.compile(
    r"(?P<all>^\s*[\"']?ignore(::(Warning)?)?[\"']?\s*,?\s*$|simplefilter\(\s*[\"']ignore[\"']\s*\)|"
    r"filterwarnings\(\s*[\"']ignore(::(Warning)?)?[\"']\s*\)|-W ?ignore\b(?!:)|--disable-warnings|-p no:warnings)|"
    r"^\s*[\"']?ignore:[^\"']+[\"']?,?\s*$|filterwarnings\(\s*[\"']ignore:"
)
_ERROR = re.compile(r"^\s*[\"']?error[\"']?,?\s*$|filterwarnings\s*=\s*\[?\s*[\"']?error")
_SILENT = re.compile(
    r"#\s*type:\s*ignore|#\s*pyright:\s*ignore|#\s*noqa\b(?!:\s*(E501|S\d+|F401|F811|D\d+|PLR|N8|INP|ARG|SLF))|"
    r"eslint-disable|@ts-ignore|@ts-nocheck|rubocop:disable|//\s*nolint|@SuppressWarnings"
)
_ASSERTS = re.compile(r"\b(assert|expect|require|verify|should)", re.IGNORECASE)


def _retries(file: FileChange, path: str) -> Iterator[Weakening]:
    left = -sum(bool(_RETRY.search(_line(line))) for hunk in file.hunks for line in hunk.removed)
    for number, line in _added(file):
        if _RETRY.search(line) and not _is_comment(line):
            left += 1
            if left > 0:
                words = f"tests are run again until they pass: `{line.strip()[:80]}`"
                yield _of("low", words, path, number, "find out why they fail now and then")


def _warnings(file: FileChange, path: str) -> Iterator[Weakening]:
    is_settings = file.kind != "test"
    removed = [_line(line) for hunk in file.hunks for line in hunk.removed]
    added = list(_added(file))
    if is_settings and any(map(_ERROR.search, removed)) and not any(_ERROR.search(line) for _, line in added):
        words = "warnings no longer fail the tests: `error` is taken from filterwarnings"
        yield _of("medium", words, path, file.hunks[0].new_start, "put it back", "threshold-lowered")
    left = -sum(bool(_IGNORED.search(line)) for line in removed)
    for number, line in added:
        found = _IGNORED.search(line)
        if found and not _is_comment(line) and (not is_settings or not path.endswith((".json", "eslint.config.js"))):
            left += 1
            if left > 0:
                severity: Severity = "low" if found["all"] and is_settings else "note"
                words = f"warnings are ignored: `{line.strip()[:80]}`"
                yield _of(severity, words, path, number, "mend what warns, or say why not")


def _longer(hunk: Hunk, path: str) -> Iterator[Weakening]:
    """Lines in which only a number of a time limit grew."""
    old = {_NUMBER.sub("#", _line(line)): _line(line) for line in hunk.removed if _TIMING.search(_line(line))}
    for at, raw in enumerate(hunk.added):
        line = _line(raw)
        was = old.get(_NUMBER.sub("#", line))
        if was is None or not _TIMING.search(line):
            continue
        pairs = list(zip(map(_float, _NUMBER.findall(was)), map(_float, _NUMBER.findall(line)), strict=False))
        if pairs and all(new >= before for before, new in pairs) and any(new > 1.5 * before for before, new in pairs):
            words = f"a time limit is raised: `{was.strip()[:60]}` became `{line.strip()[:60]}`"
            yield _of("note", words, path, hunk.new_start + at, "find out what takes longer")


def _silenced(file: FileChange, path: str) -> Iterator[Weakening]:
    left = -sum(bool(_SILENT.search(_line(line))) for hunk in file.hunks for line in hunk.removed)
    for hunk in file.hunks:
        lines = [_line(raw) for raw in hunk.added]
        for at, line in enumerate(lines):
            beside = line + (
                lines[at + 1] if line.strip().startswith(("//", "#", "/*")) and at + 1 < len(lines) else ""
            )
            if _SILENT.search(line) and _ASSERTS.search(beside):
                left += 1
                if left > 0:
                    words = f"a linter or the check of types is kept silent beside an assertion: `{line.strip()[:80]}`"
                    yield _of("note", words, path, hunk.new_start + at, "mend what it says")


def _added(file: FileChange) -> Iterator[tuple[int, str]]:
    for hunk in file.hunks:
        for at, raw in enumerate(hunk.added):
            yield hunk.new_start + at, _line(raw)


def _is_comment(line: str) -> bool:
    return re.match(r"\s*(#(?!\[)|//|\*)", line) is not None


def _float(text: str) -> float:
    return float(text.replace("_", ""))


def _line(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")[:2000]


def _of(severity: Severity, words: str, path: str, line: int, mend: str, rule: str = "test-weakened") -> Weakening:
    return Weakening(rule, severity, words, path, line, mend)
