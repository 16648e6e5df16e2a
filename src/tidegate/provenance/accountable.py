"""Who answers for the lines of a commit, and who prompted the agent that wrote them.

An agent answers for nothing. The accountable human of a line is the first of: the human whom a note names; who asked
(`Requested by:`; the person beside an agent, as author or co-author; the author or assignee of the pull request that
an agent's commit came with); the committer; the author; who opened the pull request; who merged it. Forges, bots and
agents are passed over. When nobody is left the answer is "", which reports show as *nobody*.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tidegate.change.people import People
from tidegate.change.values import Commit, Person, PullRequest
from tidegate.provenance.messages import read_trailers
from tidegate.provenance.signatures import Signatures

REQUEST_KEYS = ("requested-by", "prompted-by", "directed-by")
CO_AUTHOR_KEYS = ("co-authored-by", "co-author", "co-developed-by")


class Answer(NamedTuple):
    """`human` answers for the commit's lines; `prompters` are the people who may have prompted an agent in it.

    `merged` says that `human` only merged it, and so did not prompt.
    """

    human: str
    prompters: tuple[str, ...]
    merged: bool = False


class Persons:
    """Tells people from everything else that has a name in git."""

    def __init__(self, people: People, signatures: Signatures) -> None:
        self._people = people
        self._signatures = signatures

    def name(self, person: Person) -> str:
        """How Tidegate names this person, or "" when the identity is a bot's, a forge's or an agent's."""
        if not person.name and not person.email:
            return ""
        if self._people.is_bot(person) or self._people.is_forge(person):
            return ""
        if self._signatures.find("identity", str(person)):
            return ""
        return self._people.of_person(person)

    def account(self, account: str) -> str:
        """The same for an account of a forge; one that nobody in the identity map has is shown as `@account`."""
        plain = account.strip().lstrip("@")
        if not plain or self._people.is_bot_account(plain) or self._signatures.find("account", plain):
            return ""
        return self._people.of_account(plain) or f"@{plain}"

    def text(self, text: str) -> str:
        """The same for `Name <email>`, `Name (email)` or `@account`, as trailers and notes write people."""
        named = parse_person(text)
        if named.email:
            return self.name(named)
        if text.strip().startswith("@"):
            return self.account(text)
        return self.name(named)


def parse_person(text: str) -> Person:
    """A person from `Name <email>`, `Name (email)`, or a bare name."""
    match = re.fullmatch(r"\s*([^<(]*?)\s*[<(]\s*([^<>()\s]+@[^<>()\s]+)\s*[>)]?\s*", text[:500])
    return Person(match[1], match[2]) if match else Person(text.strip()[:200], "")


def answer_for(commit: Commit, pull_request: PullRequest | None, persons: Persons) -> Answer:
    """Who answers for the lines of this commit, whoever or whatever typed them."""
    author = persons.name(commit.author)
    committer = persons.name(commit.committer)
    asked = _asked(commit.message, pull_request, persons)
    if author:
        prompters = (*asked[:1], author) if asked else (author,)
        human = asked[0] if asked else committer or author
    else:
        beside = _beside(commit, pull_request, persons)
        prompters = (*asked, *beside)
        human = next(iter((*asked, *beside, committer)), "")
    if not human and pull_request is not None:
        return Answer(persons.account(pull_request.merged_by), (), merged=True)
    if not prompters and committer:
        prompters = (committer,)
    return Answer(human, tuple(dict.fromkeys(p for p in prompters if p)))


def answer_for_request(pull_request: PullRequest | None, persons: Persons) -> Answer:
    """The same for lines whose commit is not known: only the pull request can say."""
    if pull_request is None:
        return Answer("", ())
    asked = _asked("", pull_request, persons)
    people = (*asked, persons.account(pull_request.author), *map(persons.account, pull_request.assignees))
    prompters = tuple(dict.fromkeys(name for name in people if name))
    if not prompters:
        return Answer(persons.account(pull_request.merged_by), (), merged=True)
    return Answer(prompters[0], prompters)


# Private


def _asked(message: str, pull_request: PullRequest | None, persons: Persons) -> tuple[str, ...]:
    texts = [t.value for t in read_trailers(message) if t.key in REQUEST_KEYS]
    if pull_request is not None:
        texts += [t.value for t in read_trailers(pull_request.body) if t.key in REQUEST_KEYS]
    return tuple(name for name in map(persons.text, texts) if name)


def _beside(commit: Commit, pull_request: PullRequest | None, persons: Persons) -> tuple[str, ...]:
    """People beside an agent that is itself the author."""
    named = [parse_person(t.value) for t in read_trailers(commit.message) if t.key in CO_AUTHOR_KEYS]
    found = [persons.name(person) for person in named]
    if pull_request is not None:
        opened = persons.account(pull_request.author)
        found += [opened] if opened else [persons.account(a) for a in pull_request.assignees]
    return tuple(dict.fromkeys(name for name in found if name))
