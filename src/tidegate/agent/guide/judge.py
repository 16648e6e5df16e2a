"""Which instructions of a repository are enforced, which are shown, which the evidence contradicts, which have none.

A false contradiction is worse than silence, so each kind of it has its own narrow question, and any doubt ends it: a
folder that is meant instead of the top, an alternative that is named, a lock file or a script that lies elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.agent.guide import conventions, quote
from tidegate.agent.guide.commands import Shown, managers
from tidegate.agent.guide.compiled import Read
from tidegate.agent.guide.sources import Found
from tidegate.agent.guide.statements import VERSION, Statement, read_statements
from tidegate.agent.guide.tools import Use, use_of
from tidegate.agent.guide.tree import Tree
from tidegate.report.escape import plain

Word: TypeAlias = Literal["enforced", "shown", "contradicts", "unknown"]
WORDS: tuple[Word, ...] = ("contradicts", "enforced", "shown", "unknown")
NODE = ("npm", "pnpm", "yarn", "bun")
LONGEST_QUOTE = 160
RUN = "a pipeline runs it for changes"
RUN_IN_PART = "a pipeline runs some of it for changes"


class Judged(Struct, frozen=True):
    """What is to be thought of one instruction: the word, why, and where that is seen. `said` is quoted and cut."""

    path: str
    line: int
    said: str
    word: Word
    why: str
    evidence: str = ""


def judge(found: Read, files: Mapping[str, str]) -> tuple[Judged, ...]:
    """Every instruction in these files (path to text), in their order. Sentences that ask nothing are left out."""
    judge_ = _Judge(found)
    judged: list[Judged] = []
    for path, text in files.items():
        for one in read_statements(path, text):
            judged += judge_.of(one)
    return tuple(judged)


# Private


class _Judge:
    def __init__(self, found: Read) -> None:
        self.read = found
        self.sources = found.sources
        self.tree = Tree(found.sources)
        self.gating: dict[str, list[Shown]] = {}
        self.shown: dict[str, Shown] = {}
        for one in found.shown:
            for key in _same(one.use.key):
                self.shown.setdefault(key, one)
                if one.gates:
                    self.gating.setdefault(key, []).append(one)

    def of(self, one: Statement) -> Iterator[Judged]:
        answers = [answer for answer in (self._of_span(one, span) for span in one.spans) if answer is not None]
        answers += [answer for answer in self._of_words(one) if answer is not None]
        best = min(answers, key=lambda answer: WORDS.index(answer[0]), default=None)
        if best is not None and best[0] == "enforced" and any(answer[0] == "shown" for answer in answers):
            best = ("shown", RUN_IN_PART, best[2])
        if best is None and one.asks and (not one.fenced or use_of(one.text) is not None):
            best = ("unknown", "nothing here checks this; keep or drop it", "")
        if best is not None:
            word, why, evidence = best
            yield Judged(one.path, one.line, plain(one.text, LONGEST_QUOTE), word, why, evidence)

    # Private

    def _of_span(self, one: Statement, span: str) -> tuple[Word, str, str] | None:
        parts = [part.strip() for part in re.split(r"&&|;|\|\|?", span)] if one.fenced or " " in span else [span]
        uses = [use for part in parts if (use := use_of(part)) is not None]
        against = not one.fenced and one.refuses(span)
        for use in uses:
            if not against and (wrong := self._contradicts(one, span, use)):
                return ("contradicts", *wrong)
        if against or (" " not in span and not one.fenced and not one.runs(span)):
            return None
        known = [(part, use) for part in parts if (use := use_of(part)) is not None]
        run = [
            next((seen for seen in self.gating.get(use.key, ()) if _covers(seen, part, use)), None)
            for part, use in known
        ]
        first = next((seen for seen in run if seen is not None), None)
        if first is not None and not _ELSEWHERE.search(f"{span} {'' if one.fenced else one.text}"):
            whole = None not in run
            return ("enforced", RUN, _at(first.at)) if whole else ("shown", RUN_IN_PART, _at(first.at))
        for _, use in known:
            if ran := self.gating.get(use.key):
                return "shown", "a pipeline runs the same tool for changes, in another form", _at(ran[0].at)
            seen_at = found.at if (found := self.shown.get(use.key)) else self.tree.defined(use) if use.target else None
            if seen_at is not None:
                return "shown", "it is there; no pipeline was seen to run it for changes", _at(seen_at)
        return None

    def _contradicts(self, one: Statement, span: str, use: Use) -> tuple[str, str] | None:
        if re.search(r"[<>{}$…]|\.\.\.|\bcd |--prefix|--cwd|--filter|--workspace|-w |-C |-g\b|--global", span):
            return None
        if re.search(r"(?m)\bcd |\bpushd ", one.around):
            return None
        return self._other_manager(one, use) or self._no_target(one, use)

    def _other_manager(self, one: Statement, use: Use) -> tuple[str, str] | None:
        """The lock file at the top and the pipelines speak of one package manager, the instruction of another."""
        family = NODE if use.manager in NODE else ("uv", "poetry", "pdm", "pipenv") if use.manager else ()
        if use.manager not in family or not self._manages(use):
            return None
        locks = {name: at for name, at in managers(self.sources).items() if name in family}
        if len(locks) != 1 or use.manager in locks:
            return None
        (manager, lock) = next(iter(locks.items()))
        if use.manager in self.tree.managers_anywhere or re.search(rf"\b{manager}\b", one.around):
            return None
        ran = [shown for shown in self.read.shown if shown.gates and self._manages(shown.use)]
        if any(shown.use.manager == use.manager for shown in ran):
            return None
        seen = next((shown for shown in ran if shown.use.manager == manager), None)
        if seen is None or self.tree.says_manager(use.manager):
            return None
        return (
            f"it says {use.manager}, and here {manager} is locked and run by pipelines",
            f"{_at(lock)}, {_at(seen.at)}",
        )

    def _no_target(self, one: Statement, use: Use) -> tuple[str, str] | None:
        """It names a target or a script that no file of the tree defines."""
        tool, _, name = use.key.partition(" ")
        if not use.target or not re.fullmatch(r"[a-zA-Z][\w:-]*", use.target) or _MADE_UP.search(one.text):
            return None
        if tool == "script" and use.manager in ("npm", "pnpm") and name not in ("start", "test"):
            if not self.tree.scripts or name in self.tree.scripts or f"run {name}" not in one.text:
                return None
            return f"no package.json has a script {quote.name(name)}", f"{self.tree.counted} package.json"
        files = self.tree.makefiles if tool == "make" else self.tree.justfiles if tool == "just" else {}
        top = next((path for path in files if "/" not in path), "")
        if not top or any(name in targets for targets in files.values()) or self.tree.opaque(files):
            return None
        return f"no {'Makefile' if tool == 'make' else 'justfile'} has {quote.name(name)}", _at(Found(top))

    def _of_words(self, one: Statement) -> Iterator[tuple[Word, str, str] | None]:
        if not one.fenced:
            yield self._line_length(one)
            yield self._conventional(one)
            yield self._version(one)
            yield self._missing_file(one)
            yield self._policy(one)

    def _line_length(self, one: Statement) -> tuple[Word, str, str] | None:
        said = _LENGTH.search(one.text)
        known = self._lengths
        if not said or not known or re.search(r"(?i)docstring|comment|commit|subject|markdown|title", one.text):
            return None
        number = int(said[1] or said[2])
        if number in known:
            return "shown", "configuration says so", _at(known[number])
        if len(known) != 1 or not 60 <= number <= 200:
            return None
        length, at = next(iter(known.items()))
        return "contradicts", f"it says {number} characters, and configuration says {length}", _at(at)

    def _conventional(self, one: Statement) -> tuple[Word, str, str] | None:
        if not re.search(r"(?i)conventional[ -]commits?", one.text) or not re.search(r"(?i)commit", one.text):
            return None
        said = conventions.subjects(self.read.past.by_people)
        if len(said) < 100:
            return None
        count = conventions.share_of("conventional", said)
        where = f"{count} of {len(said)} commits"
        if count >= conventions.LEAST_SHARE * len(said):
            return "shown", "commits are written so", where
        if count <= 0.05 * len(said) and one.asks and not _AGAINST.search(one.text):
            return "contradicts", "commits here are not written so", where
        return None

    def _version(self, one: Statement) -> tuple[Word, str, str] | None:
        said = VERSION.search(one.text)
        if said is None or _TROUBLE.search(one.text):
            return None
        for what, path, pattern in _VERSIONS:
            match = re.search(pattern, self.sources.text(path), re.MULTILINE) if said["what"].startswith(what) else None
            if match is None:
                continue
            at = _at(self.sources.place(path, pattern))
            if _numbers(said["low"]) == _numbers(match[1])[: len(_numbers(said["low"]))]:
                return "shown", "the manifest says so", at
            if _numbers(said["low"]) < _numbers(match[1]):
                return "contradicts", f"the manifest asks for {what} {match[1]} or newer", at
        return None

    def _missing_file(self, one: Statement) -> tuple[Word, str, str] | None:
        if not one.asks or _MADE_UP.search(one.text):
            return None
        for span in one.spans:
            path = span.removeprefix("./").partition("#")[0]
            path = re.sub(r":\d+(?:-\d+)?$", "", path)
            if (
                (_PATH.fullmatch(path) or _FOLDER.fullmatch(path))
                and not one.refuses(span)
                and self.tree.is_missing(path)
            ):
                return "contradicts", f"{quote.name(path)} is not in the tree", "the tree at the base"
        return None

    def _policy(self, one: Statement) -> tuple[Word, str, str] | None:
        if not self._gated:
            return None
        for pattern, rule in _RULES:
            if re.search(pattern, one.text) and any(
                known.id == rule and known.mode == "enforce" for known in self.read.policy.rules
            ):
                return "enforced", "the policy asks for it", f"`tidegate explain {rule}`"
        return None

    @cached_property
    def _gated(self) -> bool:
        return any("tidegate" in self.sources.text(path) for path in self.sources.workflows)

    @cached_property
    def _lengths(self) -> Mapping[int, Found]:
        return conventions.line_lengths(self.sources)

    def _manages(self, use: Use) -> bool:
        """Whether it asks a package manager to install or to run a script, not only to start a program."""
        key = use.key
        return bool(use.manager) and (key.startswith(("script ", "bare ")) or key.endswith((" install", " ci")))


def _covers(ran: Shown, asked: str, use: Use) -> bool:
    """Whether a command that was run says all that the asked one says: its options, and what it is about."""
    if use.target and not use.key.startswith("bare "):
        return set(_PART.findall(asked)) <= set(_PART.findall(ran.text))
    flags, words = _split(asked)
    run_flags, run_words = _split(ran.text)
    return flags <= run_flags and (words <= run_words or bool(run_words & {".", "./..."}) or not run_words)


def _split(command: str) -> tuple[frozenset[str], frozenset[str]]:
    """Options without those that only choose or show, and words behind the program."""
    parts = [part.strip("'\"") for part in command.split()]
    parts = [part for part in parts if part and not re.match(r"[A-Z_][A-Z0-9_]*=", part)]
    flags = frozenset(part.partition("=")[0] for part in parts if part.startswith("-") and part not in _HARMLESS)
    return flags, frozenset(part for part in parts[2:] if not part.startswith("-"))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _same(key: str) -> Iterable[str]:
    """A script counts by its name, whether it is started by `run` or bare."""
    yield key
    word, _, name = key.partition(" ")
    if word in ("script", "bare"):
        yield f"{'bare' if word == 'script' else 'script'} {name}"


def _at(place: Found) -> str:
    return quote.name(str(place)) or "a file with an unusual name"


def counts(judged: Sequence[Judged]) -> dict[Word, int]:
    """How many of each."""
    return {word: sum(one.word == word for one in judged) for word in WORDS}


_LENGTH = re.compile(
    r"(?i)\b(?:line[- ]length|max(?:imum)? line(?: length| width)?|line width"
    r"|lines?(?: are| should be| must be| to| of)?(?: under| within| below| at most| up to| max(?:imum)?)?)"
    r"\b[^\d.;\n]{0,24}\b(\d{2,3})\b(?!\.\d)"
    r"|\b(\d{2,3})[- ](?:char(?:acter)?s?|columns?)(?: per)? (?:line|limit|wide|width)"
)
_TROUBLE = re.compile(r"(?i)\b(?:fail|issue|bug|mismatch|break|broke|error|only|syntax|feature|since|until|drop|not)")
_AGAINST = re.compile(r"(?i)\b(?:not|never|don't|no)\b")
_MADE_UP = re.compile(
    r"(?i)\b(?:e\.g\.|for example|such as|example|creates?|generate[sd]?|new file|your|placeholder|output|local"
    r"|compiled|gitignored|optional|if (?:it )?(?:exists|present)|when present|would|like `|hypothetical|scratch"
    r"|temporary|built|removed|deleted|renamed|was|moved|legacy|deprecated|private|download|write to|written to"
    r"|produces?|emits?|cop(?:y|ied)|cython)\b"
)
_PATH = re.compile(
    r"[\w.-]+(?:/[\w.@-]+)+\.(?:py|pyi|ts|tsx|js|jsx|mjs|cjs|go|rs|rb|java|kt|c|h|cc|cpp|hpp|cs|swift|zig|md|mdx|rst"
    r"|toml|ya?ml|json|sh|cfg|ini|sql|proto|scss|css|html|vue|svelte)"
)
_FOLDER = re.compile(r"[\w.-]+(?:/[\w.@-]+)+/")
_PART = re.compile(r"(?:^| )(?:-F|--filter|-w|--workspace|--package|-p|-C|--dir|--cwd|--prefix)[ =]\S+")
_ELSEWHERE = re.compile(r"\bcd |\bin (?:the|each|a) `?[\w./-]+`? (?:folder|directory|package|workspace)\b")
_HARMLESS = frozenset("-v -vv -q -x -s -k -m -n -run -- --verbose --quiet -l".split())
_VERSIONS = (
    ("Python", "pyproject.toml", r"^requires-python\s*=\s*[\"']\s*>=\s*(3\.\d{1,2})"),
    ("Go", "go.mod", r"^go (1\.\d{1,3})"),
    ("Rust", "Cargo.toml", r"^rust-version\s*=\s*\"(1\.\d{1,3})"),
    ("Node", "package.json", r"\"node\"\s*:\s*\"\s*(?:>=|\^)\s*v?(\d{2})(?:\.\d+)*\s*\""),
)
_RULES: tuple[tuple[str, str], ...] = (
    (
        r"(?i)\b(?:never|not|don't)\b.{0,40}\b(?:commit|check in|push).{0,40}"
        r"\b(?:secret|credential|api key|password|token)",
        "no-secrets",
    ),
    (r"(?i)\b(?:add|include|write|bring)\b.{0,30}\btests?\b", "ai-changes-carry-tests"),
    (
        r"(?i)\b(?:never|not|don't)\b.{0,40}\b(?:weaken|delete|remove|skip|disable)\b.{0,30}\btests?\b",
        "tests-not-weakened",
    ),
)
