"""Who owns what a change reaches, who knows the lines that it touches, and whom to ask for a review.

Owners are those of the CODEOWNERS file of the base: a change cannot appoint its own. Experts are people whose lines the
change removes, edits or stands beside, weighted by how recent those are, and people who changed the same files lately.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from tidegate.change.codeowners import Owners
from tidegate.change.git import Repository
from tidegate.change.people import People, is_bot_account, noreply_account, plain_account
from tidegate.change.values import Change, Person, show_path
from tidegate.reach.answer import Expert
from tidegate.reach.blame import BlamedLine, read_blame
from tidegate.reach.history import History, read_history
from tidegate.settings import Settings, folded

HALF_LIFE_DAYS = 365.0
GONE_DAYS = 365
"""Who has made no commit for so long is not asked for a review."""

NO_SETTINGS = Settings()
MOST_EXPERTS = 10
MOST_REVIEWERS = 3


class OwnerCount(NamedTuple):
    """An owner as CODEOWNERS writes it, and how many of the paths are theirs."""

    owner: str
    files: int


class OwnerCounts(NamedTuple):
    """The owners of some paths, most paths first. `unowned` paths have none; of `doubtful` ones it cannot be told."""

    owners: tuple[OwnerCount, ...]
    unowned: int
    doubtful: int


class Reviewer(NamedTuple):
    """Somebody to ask, with the reason in words."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def owners_of(paths: Iterable[str], owners: Owners) -> tuple[str, ...]:
    """The owners of the paths by the CODEOWNERS file of the base, those of most paths first."""
    return tuple(count.owner for count in count_owners(paths, owners).owners)


def count_owners(paths: Iterable[str], owners: Owners) -> OwnerCounts:
    """The same with the number of paths for each, and how many paths have no owner that could be told."""
    counts: Counter[str] = Counter()
    unowned = doubtful = 0
    for path in sorted(set(paths)):
        found = owners.owners_of(path.encode("utf-8", "surrogateescape"))
        names = {name for ownership in found for name in ownership.owners}
        counts.update(names)
        doubtful += any(ownership.doubt for ownership in found)
        unowned += not names and not any(ownership.doubt for ownership in found)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return OwnerCounts(tuple(OwnerCount(*item) for item in ordered), unowned, doubtful)


def find_experts(
    repository: Repository,
    change: Change,
    now: str,
    settings: Settings = NO_SETTINGS,
    history: History | None = None,
    notes: list[str] | None = None,
) -> tuple[Expert, ...]:
    """At most ten people who know the touched lines of the base, best first. Bots and agents are not among them.

    `share` is of the weight of all blamed lines, of which one half is lost with every year of age; people who only
    changed the files lately, by `history` (read when it is not given), come after them with share 0. Who has no commit
    in the year before `now` (RFC 3339) is "last seen 2023". What was left out is added to `notes`.
    """
    notes = [] if notes is None else notes
    if not change.base:
        return ()
    past = read_history(repository, change.base) if history is None else history
    people = People(settings)
    tally = _Tally(people, _seconds(now))
    for line in read_blame(repository, change.base, change.files, notes):
        tally.add_line(line)
    tally.add_history(past, {show_path(file.old_path) for file in change.files if file.status != "added"})
    return tally.experts()


def suggest_reviewers(
    experts: Sequence[Expert],
    owners: Sequence[str],
    excluded: Collection[str],
    now: str,
    settings: Settings = NO_SETTINGS,
) -> tuple[Reviewer, ...]:
    """At most three to ask: experts who were seen in the year before `now`, best first, then owners.

    Nobody is named who may be one of `excluded` (keys, `Name <email>` or `@account`: the prompters, authors and
    committers): by key, e-mail, account or name. Teams are named as they stand, whoever is in them.
    """
    people = People(settings)
    taken: set[str] = set().union(*(_names(people, text, settings) for text in excluded))
    found: list[Reviewer] = []
    for expert in experts:
        names = _names(people, expert.person, settings)
        if _gone(expert.last_at, now) or names & taken:
            continue
        taken |= names
        owned = next((owner for owner in owners if _names(people, owner, settings) & names), "")
        found.append(Reviewer(expert.person, f"{expert.reason}; owner" if owned else expert.reason))
    for owner in owners:
        names = _names(people, owner, settings)
        if not names & taken and not is_bot_account(owner):
            taken |= names
            found.append(Reviewer(owner, "owner of files that this reaches"))
    return tuple(found[:MOST_REVIEWERS])


# Private

_BOT = re.compile(r"(?:^|[\s_.-])(?:ro)?bot$")


class _Tally:
    """Adds up who wrote which lines and which commits."""

    def __init__(self, people: People, now: int) -> None:
        self._people = people
        self._now = now
        self._lines: Counter[str] = Counter()
        self._weight: defaultdict[str, float] = defaultdict(float)
        self._commits: Counter[str] = Counter()
        self._recent: defaultdict[str, float] = defaultdict(float)
        self._last: dict[str, int] = {}

    def add_line(self, line: BlamedLine) -> None:
        """Some lines of one author: those that the change removes or edits count whole, those around them a quarter."""
        if self._is_machine(line.author):
            return
        name, at = self._people.of_person(line.author), _seconds(line.at)
        self._lines[name] += line.lines if line.touched else 0
        self._weight[name] += line.lines * (1.0 if line.touched else 0.25) * self._decay(at)
        self._see(name, at)

    def add_history(self, history: History, paths: Collection[str]) -> None:
        """Commits to the same files, and when anybody was last seen at all."""
        wanted = {number for number, path in enumerate(history.paths) if path in paths}
        names = ["" if self._is_machine(who) else self._people.of_person(who) for who in history.people]
        for commit in history.commits:
            name = names[commit.author]
            if not name:
                continue
            self._see(name, commit.at)
            if not wanted.isdisjoint(commit.files):
                self._commits[name] += 1
                self._recent[name] += self._decay(commit.at)

    def experts(self) -> tuple[Expert, ...]:
        total = sum(self._weight.values()) or 1.0
        names = sorted(self._weight.keys() | self._commits.keys())
        names.sort(key=lambda name: (-self._weight.get(name, 0.0), -self._recent.get(name, 0.0)))
        return tuple(self._expert(name, self._weight.get(name, 0.0) / total) for name in names[:MOST_EXPERTS])

    def _expert(self, name: str, share: float) -> Expert:
        lines, commits = self._lines[name], self._commits[name]
        parts = []
        if lines:
            parts.append(f"wrote {lines} of the touched lines")
        elif share:
            parts.append("wrote lines beside the touched ones")
        if commits:
            parts.append(f"{commits} commit{'s' if commits != 1 else ''} to these files")
        last_at = _moment(self._last[name])
        if self._now - self._last[name] > GONE_DAYS * 86400:
            parts.append(f"last seen {last_at[:4]}")
        return Expert(name, round(share, 4), lines, last_at, ", ".join(parts))

    def _is_machine(self, person: Person) -> bool:
        """Somebody too few is suggested rather than a machine: here a name or account that ends in "bot" is enough."""
        account = noreply_account(folded(person.email))
        return self._people.is_bot(person) or any(_BOT.search(name) for name in (folded(person.name), account))

    def _see(self, name: str, at: int) -> None:
        self._last[name] = max(at, self._last.get(name, 0))

    def _decay(self, at: int) -> float:
        return float(2.0 ** (-max(0, self._now - at) / 86400 / HALF_LIFE_DAYS))


def _gone(last_at: str, now: str) -> bool:
    return _seconds(now) - _seconds(last_at) > GONE_DAYS * 86400


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _names(people: People, text: str, settings: Settings) -> set[str]:
    """Everything that the person behind a text may be called: enough to leave somebody out, not to identify them."""
    name, _, rest = text.partition("<")
    email = rest.rstrip("> ")
    if text.startswith("@"):
        name, email = "", ""
    elif not rest and "@" in text:
        name, email = "", text
    account = text if text.startswith("@") else noreply_account(folded(email))
    key = people.key_of(Person(name, email)) or people.of_account(account) or text.strip()
    found = {("key", key), ("mail", folded(email)), ("account", plain_account(account)), ("name", _plain(name))}
    identity = settings.people.get(key)
    if identity is not None:
        found |= {("mail", folded(mail)) for mail in identity.emails}
        found |= {("account", plain_account(known)) for known in identity.accounts}
        found |= {("name", _plain(identity.name)), ("name", _plain(key))}
    return {f"{kind} {value}" for kind, value in found if value}


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
