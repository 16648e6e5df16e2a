"""What a repository has to offer for a drill: its files and owners at one revision, its tags, its recent changes.

Read once and bounded: what is too large, not UTF-8 or has a name that cannot be printed is not practised on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import TypeVar

from msgspec import Struct

from tidegate.change.codeowners import NO_OWNERS, Owners
from tidegate.change.git import Repository
from tidegate.change.owners_file import read_owners
from tidegate.change.trees import GitTree, tree_of
from tidegate.facts import Unknown
from tidegate.risk.history.mine import open_history, store_folder
from tidegate.risk.labels.marks import marks_of
from tidegate.risk.labels.messages import is_fix
from tidegate.risk.labels.reverts import read_revert
from tidegate.risk.values import PastCommit
from tidegate.settings import Settings

T = TypeVar("T")

LARGEST_FILE = 256 << 10
MOST_FILES = 4_000
MOST_BYTES = 64 << 20
LONGEST_LINE = 1_000
RECENT = 400
"""So many of the last commits tell which files are worked on."""
SHORTLIST = 5
"""The seed chooses among so many of the best places."""

ASIDE = re.compile(
    r"(?:^|/)(?:tests?|testing|testdata|__tests__|spec|specs|fixtures?|__fixtures__|examples?|samples?|docs?|docs_src|"
    r"documentation|vendor|third_party|node_modules|benchmarks?|bench|demos?|dist|build|locale|site-packages|e2e|"
    r"mocks?|__mocks__|stubs?|cypress|website|templates?|scripts/dev)/|(?:^|/)(?:test_|conftest)|[_.-](?:test|spec|stories|min)\.[a-z]+$",
    re.IGNORECASE,
)
"""Places that nobody runs in production."""


class Past(Struct, frozen=True):
    """An earlier change that a room full of people may suspect. `mended` says that a later one took it back or fixed
    it, `agent` which tool it declares."""

    oid: str
    subject: str
    at: int
    files: tuple[str, ...]
    mended: str = ""
    agent: str = ""


class Ground:
    """One revision of a repository."""

    def __init__(self, clone: Repository, base: str, settings: Settings) -> None:
        self.clone = clone
        self.base = base
        self.settings = settings
        self.tree: GitTree = tree_of(clone, clone.resolve(base, "tree"))
        owners = read_owners(clone, base, settings)
        self.owners: Owners = NO_OWNERS if isinstance(owners, Unknown) else owners
        self.all_paths = tuple(path for path in self.tree.paths() if path.isprintable() and '"' not in path)
        self.past, self.touched, self.fixed = _read_past(clone, base)
        self._texts: dict[str, str | None] = {}
        self._bytes = 0

    def paths(self, *suffixes: str, aside: bool = False) -> tuple[str, ...]:
        """The files with these endings, those that nobody runs left out unless asked for, the busiest first."""
        found = [path for path in self.all_paths if path.endswith(suffixes) and (aside or not ASIDE.search(path))]
        return tuple(sorted(found, key=lambda path: (-self.weight(path), path)))

    def weight(self, path: str) -> int:
        """How much a place deserves practice: recent work, repairs, and an owner who can be asked."""
        return min(self.touched[path], 12) + 2 * min(self.fixed[path], 5) + (2 if self.owners_of(path) else 0)

    def owners_of(self, path: str) -> tuple[str, ...]:
        """Who owns a file, as CODEOWNERS writes them; nobody where that is in doubt."""
        found = self.owners.owners_of(path.encode("utf-8", "surrogateescape"))
        if any(one.doubt for one in found):
            return ()
        return tuple(dict.fromkeys(owner for one in found for owner in one.owners))

    def all_owners(self) -> tuple[str, ...]:
        """Everybody whom the CODEOWNERS file names, in its order."""
        rules = (rule for section in self.owners.sections for rule in section.rules)
        return tuple(dict.fromkeys(owner for rule in rules for owner in rule.owners))

    def text(self, path: str) -> str | None:
        """A file as text, None for what is no plain UTF-8 text of a sane size."""
        if path not in self._texts:
            self.load([path])
        return self._texts.get(path)

    def load(self, paths: Sequence[str]) -> None:
        """Read files together."""
        wanted = [path for path in paths if path not in self._texts][:MOST_FILES]
        if self._bytes > MOST_BYTES:
            wanted = []
        for path, content in self.tree.read(wanted).items():
            self._bytes += len(content)
            self._texts[path] = _text(content)
        for path in wanted:
            self._texts.setdefault(path, None)

    def texts(self, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
        """The files that could be read, with their paths."""
        self.load(paths[:MOST_FILES])
        for path in paths[:MOST_FILES]:
            text = self._texts.get(path)
            if text is not None:
                yield path, text

    def lines(self, paths: Sequence[str], pattern: re.Pattern[str]) -> Iterator[tuple[str, int, re.Match[str]]]:
        """Every line of these files that the pattern finds something in, counted from 1."""
        for path, text in self.texts(paths):
            for number, line in enumerate(text.split("\n"), 1):
                if len(line) <= LONGEST_LINE and (found := pattern.search(line)):
                    yield path, number, found

    def choose(self, found: Iterable[T], path_of: Callable[[T], str], seed: Random) -> T | None:
        """One of the places that deserve practice most; the seed says which."""
        ranked = sorted(enumerate(found), key=lambda pair: (-self.weight(path_of(pair[1])), pair[0]))
        shortlist = [one for _, one in ranked[:SHORTLIST]]
        return seed.choice(shortlist) if shortlist else None

    def count(self, word: str, paths: Sequence[str]) -> tuple[str, ...]:
        """The files among these that speak of a word."""
        pattern = re.compile(rf"(?<![\w]){re.escape(word)}(?![\w])")
        return tuple(path for path, text in self.texts(paths) if pattern.search(text))


# Private


def _text(content: bytes) -> str | None:
    if len(content) > LARGEST_FILE or b"\0" in content or b"\r" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _read_past(clone: Repository, base: str) -> tuple[tuple[Past, ...], Counter[str], Counter[str]]:
    """The last changes, newest first, and how often each file was changed and repaired in them."""
    with open_history(clone, base, store_folder(clone)) as mined:
        commits = [one for one in mined.commits() if not one.is_merge]
    recent = sorted(commits, key=lambda one: (one.committed_at, one.oid), reverse=True)[:RECENT]
    touched: Counter[str] = Counter()
    fixed: Counter[str] = Counter()
    for commit in recent:
        names = [touch.path for touch in commit.touches if touch.path]
        touched.update(names)
        if is_fix(commit.message).confidence > 0.5:
            fixed.update(names)
    agents = marks_of(recent)
    mended = _mended(recent)
    past = tuple(
        Past(
            one.oid,
            one.subject,
            one.committed_at,
            tuple(touch.path for touch in one.touches if touch.path)[:50],
            mended.get(one.oid, ""),
            agents[one.oid].tool if one.oid in agents else "",
        )
        for one in recent
    )
    return past, touched, fixed


def _mended(recent: Sequence[PastCommit]) -> dict[str, str]:
    """Which of these were taken back, and by which other one of them: by what their messages say."""
    by_subject: dict[str, str] = {}
    oids = {one.oid for one in recent}
    found: dict[str, str] = {}
    for one in reversed(recent):
        revert = read_revert(one.message)
        if revert is not None and not revert.restores:
            named = [oid for part in revert.oids for oid in oids if oid.startswith(part)]
            named += [by_subject[subject] for subject in revert.subjects if subject in by_subject]
            found |= dict.fromkeys(named, one.oid)
        by_subject[one.subject] = one.oid
    return found
