"""Which files tend to change in one commit with a given file, and how likely: the ranking behind co-change.

A score is the log-odds that a candidate changes in a commit that changes the asked file. Its features come from history
and from the two paths; `bench/cochange.py` fits the weights on some repositories and measures them on others.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct

from tidegate.reach.history import History, PastCommit

LATELY_DAYS = 60.0

FEATURES = (
    "share",
    "confidence",
    "reverse",
    "lift",
    "recent",
    "popular",
    "active",
    "around",
    "folder",
    "near",
    "stem",
    "suffix",
    "neighbour",
    "constant",
)
"""`share` is plain coupling: how many of the commits of the asked file have the candidate too. `confidence` is the same
with decay and with less for larger commits, as a logarithm; `reverse` the share of the candidate's own commits;
`around` is the confidence of the whole folder of the asked file; `active` is how busy the candidate was lately."""


class Weights(Struct, frozen=True):
    """One weight for each of FEATURES. A commit counts half after `half_life_days`, and less the larger it is."""

    values: tuple[float, ...]
    half_life_days: float = 365.0
    size_power: float = 0.5


PLAIN = Weights((1.0, *(0.0,) * (len(FEATURES) - 1)), math.inf, 0.0)
"""Plain coupling, to compare with."""

FITTED = Weights(
    (1.0, 0.546, 0.031, 0.177, 0.114, 0.11, 0.145, 0.232, 0.569, -0.122, 0.807, 0.021, 0.322, -0.505),
    half_life_days=730.0,
    size_power=1.0,
)
"""As `python -m bench.cochange --fit` found them on ansible, flask, jinja, rich, express, gin and commons-lang."""


class Partner(NamedTuple):
    """A candidate. `support` of the `commits` of the asked file have it too, the last of them at Unix second `last_at`.

    `features` are in the order of FEATURES.
    """

    path: str
    score: float
    support: int
    commits: int
    last_at: int
    features: tuple[float, ...]


class Ranker:
    """Answers for one history. A file that was renamed is one file, under its newest name."""

    def __init__(self, history: History, weights: Weights = FITTED) -> None:
        self._paths = history.paths
        self._number = {path: number for number, path in enumerate(history.paths)}
        self._weights = weights
        self._commits: list[tuple[int, ...]] = []
        self._times: list[int] = []
        self._decays: list[float] = []
        self._lates: list[float] = []
        self._folders: dict[str, _Around] = {}
        self._of: dict[int, list[int]] = defaultdict(list)
        self._gone: set[int] = set()
        self._read(history)

    @property
    def gone(self) -> frozenset[str]:
        """The files that the newest commit which touched them deleted or renamed."""
        return frozenset(self._paths[file] for file in self._gone)

    def commits_of(self, path: str) -> int:
        """How many commits of the history touched a file."""
        return len(self._of.get(self._number.get(path, -1), ()))

    def partners(self, path: str, neighbours: Collection[str] = ()) -> list[Partner]:
        """Every candidate, the best first: coupled files, files alike by name or folder, neighbours, busy files."""
        own = self._number.get(path, -1)
        commits = self._of.get(own, [])
        coupled = self._coupled(commits)
        near = {self._number[other] for other in neighbours if other in self._number}
        total = sum(self._decays[number] for number in commits)
        around = self._around(_folder(path))
        asked = _Asked(path, own, len(commits), total, frozenset(near), around)
        found = [
            self._partner(asked, file, coupled.get(file, _NOTHING))
            for file in dict.fromkeys((*coupled, *self._alike(path), *sorted(near), *around.often, *self._busy))
            if file != own and self._of[file]
        ]
        found.sort(key=lambda partner: (-partner.score, partner.path))
        return found

    # Private

    def _read(self, history: History) -> None:
        alias: dict[int, int] = {}
        seen: set[int] = set()
        newest = history.newest_at
        for commit in history.commits:
            self._gone.update(file for file in _left(commit) if file not in seen)
            alias.update((old, alias.get(new, new)) for old, new in commit.renames if old not in alias)
            seen.update(commit.files)
            files = tuple(dict.fromkeys(alias.get(file, file) for file in commit.files))
            for file in files:
                self._of[file].append(len(self._commits))
            days = max(0, newest - commit.at) / 86400
            self._commits.append(files)
            self._times.append(commit.at)
            self._decays.append(2.0 ** (-days / self._weights.half_life_days))
            self._lates.append(2.0 ** (-days / LATELY_DAYS))

    def _coupled(self, commits: list[int]) -> dict[int, _Together]:
        joint: dict[int, float] = defaultdict(float)
        support: Counter[int] = Counter()
        last: dict[int, int] = {}
        for number in commits:
            files = self._commits[number]
            weight = self._decays[number] / max(1, len(files) - 1) ** self._weights.size_power
            for file in files:
                joint[file] += weight
                last.setdefault(file, number)
            support.update(files)
        return {file: _Together(joint[file], support[file], last[file]) for file in joint}

    def _partner(self, asked: _Asked, file: int, together: _Together) -> Partner:
        features = self._features(asked, file, together)
        score = sum(weight * value for weight, value in zip(self._weights.values, features, strict=True))
        last_at = self._times[together.last] if together.support else 0
        return Partner(self._paths[file], score, together.support, asked.commits, last_at, features)

    def _features(self, asked: _Asked, file: int, together: _Together) -> tuple[float, ...]:
        path, own_commits = self._paths[file], len(self._of[file])
        expected = own_commits / max(1, len(self._commits))
        stem = _stem(path)
        return (
            together.support / max(1, asked.commits),
            math.log((together.joint + 0.05) / (asked.total + 0.5)),
            math.log((together.support + 0.05) / (own_commits + 2.0)),
            math.log((together.support + 0.5) / (asked.commits * expected + 0.5)),
            self._decays[together.last] if together.support else 0.0,
            math.log(self._business[file] + 0.1),
            math.log(self._lately[file] + 0.1),
            math.log((asked.around.joint.get(file, 0.0) + 0.05) / (asked.around.total + 0.5)),
            float(_folder(path) == _folder(asked.path)),
            _nearness(path, asked.path),
            float(len(stem) > 2 and stem == _stem(asked.path)),
            float(_suffix(path) == _suffix(asked.path)),
            1.0 / math.sqrt(len(asked.neighbours)) if file in asked.neighbours else 0.0,
            1.0,
        )

    def _alike(self, path: str) -> list[int]:
        stem = _stem(path)
        return [*(self._by_stem.get(stem, ()) if len(stem) > 2 else ()), *self._by_folder.get(_folder(path), ())]

    def _around(self, folder: str) -> _Around:
        if folder not in self._folders:
            own = {file for file in self._of if _folder(self._paths[file]) == folder}
            numbers = sorted({number for file in own for number in self._of[file]})
            joint: dict[int, float] = defaultdict(float)
            for number in numbers:
                files = self._commits[number]
                weight = self._decays[number] / max(1, len(files) - 1) ** self._weights.size_power
                for file in files:
                    joint[file] += weight
            often = sorted(joint, key=lambda file: (-joint[file], self._paths[file]))[:40]
            self._folders[folder] = _Around(sum(self._decays[number] for number in numbers), joint, often)
        return self._folders[folder]

    @cached_property
    def _lately(self) -> dict[int, float]:
        return {file: sum(self._lates[number] for number in commits) for file, commits in self._of.items()}

    @cached_property
    def _business(self) -> dict[int, float]:
        return {file: sum(self._decays[number] for number in commits) for file, commits in self._of.items()}

    @cached_property
    def _busy(self) -> list[int]:
        return self._busiest(self._of, 10)

    @cached_property
    def _by_stem(self) -> dict[str, list[int]]:
        return self._groups(_stem)

    @cached_property
    def _by_folder(self) -> dict[str, list[int]]:
        return self._groups(_folder)

    def _groups(self, key: Callable[[str], str]) -> dict[str, list[int]]:
        groups: dict[str, list[int]] = defaultdict(list)
        for file in self._of:
            if file not in self._gone:
                groups[key(self._paths[file])].append(file)
        return {name: self._busiest(files, 40) for name, files in groups.items()}

    def _busiest(self, files: Collection[int], most: int) -> list[int]:
        return sorted(files, key=lambda file: (-self._business[file], self._paths[file]))[:most]


# Private


class _Together(NamedTuple):
    """What two files have in common: their weighted and plain number of common commits, and the newest of those."""

    joint: float
    support: int
    last: int


class _Around(NamedTuple):
    """What changes with a folder: its weighted number of commits, those with each file, and the files of most."""

    total: float
    joint: dict[int, float]
    often: list[int]


class _Asked(NamedTuple):
    """The file asked about: its plain and weighted number of commits, and its neighbours."""

    path: str
    file: int
    commits: int
    total: float
    neighbours: frozenset[int]
    around: _Around


_NOTHING = _Together(0.0, 0, 0)
_AFFIX = re.compile(
    r"^(?:tests?|spec|bench|mock|use)[_\-.]|[_\-.](?:tests?|spec|stories|mock|bench|d|module|types|pb)$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?:Tests?|TestCase|Spec|IT|Impl)$")


def _left(commit: PastCommit) -> Iterator[int]:
    yield from commit.gone
    yield from (old for old, _ in commit.renames)


def _stem(path: str) -> str:
    """The name without its ending and without what marks a test: test_views.py, views_test.py and ViewsTest.java."""
    name = path.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    return _AFFIX.sub("", _CAMEL.sub("", stem)).casefold()


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _suffix(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[2]


def _nearness(one: str, other: str) -> float:
    """The share of the folders of the two that they have in common."""
    left, right = one.split("/")[:-1], other.split("/")[:-1]
    common = next((place for place, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    same = min(len(left), len(right)) if common is None else common
    return (same + 1) / (max(len(left), len(right)) + 1)
