"""The way of a change: what the forge says of it now, its commits, the analysis, the decision, the record.

Nothing that a delivery says is believed: it only tells where to look. Each step may be done any number of times, by any
number of workers, and be broken off anywhere.
"""

from __future__ import annotations

import hashlib
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct, field

from tidegate.change.configuration import read_settings
from tidegate.change.git import open_repository
from tidegate.change.git_fetch import FetchError
from tidegate.errors import InputError
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.merged import merged_as
from tidegate.server.forge.values import CloneFrom, Forge, Pull
from tidegate.server.mirrors import Brought, Mirrors, Wanted
from tidegate.server.scrutiny import looks_document
from tidegate.server.service import Service
from tidegate.server.work.analysis import Analysis, analyse, unknown
from tidegate.server.work.questions import Ask, Attached, Begun, is_last, key_of
from tidegate.server.work.record import put_decision, put_entries
from tidegate.store import approvals, assessments, attachments, changes
from tidegate.store.assessments import Assessment
from tidegate.store.changes import Change, Kept, Read
from tidegate.store.repositories import Repository

Ending: TypeAlias = Literal["decided", "known", "overtaken", "closed"]
SOON = 3.0
"""Seconds until the forge is asked again that contradicted itself: a push came between two questions."""


class Memory:
    """The last question about each change, and the key of its answer: the same question is not analysed twice in a
    row. Lost with the process, at the price of one start of the child for each change."""

    MOST = 10_000

    def __init__(self) -> None:
        self._answered: dict[int, tuple[str, str]] = {}

    def key(self, change: int, question: str) -> str:
        """The key of the answer; "" where the last question was another one."""
        asked, key = self._answered.get(change, ("", ""))
        return key if asked == question else ""

    def keep(self, change: int, question: str, key: str) -> None:
        if len(self._answered) >= self.MOST:
            self._answered.clear()
        self._answered[change] = (question, key)


class Way(Struct, frozen=True):
    """What every step of the way needs."""

    service: Service
    mirrors: Mirrors
    memory: Memory = field(default_factory=Memory)


class Arrived(Struct, frozen=True):
    """How it ended; the row of the change, and the decision that stands where there is one."""

    ending: Ending
    change: int
    assessment: Assessment | None = None
    forged: tuple[str, ...] = ()


def decide(way: Way, repository: Repository, number: int, *, again: str = "") -> Arrived:
    """Reads a change at its forge and decides on it. `again` names the wish of a person for another run.

    ForgeError where the forge does not answer, with `retry_after` where it may later.
    """
    service = way.service
    forge = forge_of(service, repository)
    read_at = service.now()
    pull = forge.pull(repository.slug, number)
    reviews = forge.reviews(repository.slug, number) if pull.state == "open" else None
    forged = tuple(forge.forged(repository.slug, pull.head)) if pull.state == "open" else ()
    kept = keep(service, repository, pull, read_at, forged)
    if not kept.newer:
        return Arrived("overtaken", kept.change.id, forged=forged)
    if pull.state != "open":
        return Arrived("closed", kept.change.id)
    analysis = _analysis(way, repository, (pull, reviews), kept.change, again)
    decided = put_decision(service, kept.change, read_at, analysis)
    if decided.assessment is None:
        return Arrived("overtaken", kept.change.id, forged=forged)
    put_entries(service, decided.assessment)
    return Arrived("decided" if decided.new else "known", kept.change.id, decided.assessment, forged)


def forge_of(service: Service, repository: Repository) -> Forge:
    forge = service.forges.get(repository.forge)
    if forge is None:
        raise ForgeError("this forge is not configured any more", where=repository.forge)
    return forge


def keep(service: Service, repository: Repository, pull: Pull, read_at: str, forged: tuple[str, ...] = ()) -> Kept:
    """Keeps what the forge said at `read_at`, unless something that was read later is kept."""
    said = {"draft": pull.draft, "updated_at": pull.updated_at, "merge_queue": pull.merge_queue, "forged": forged}
    merged = msgspec.to_builtins(merged_as(pull.document))
    read = Read(
        repository=repository.id,
        number=pull.number,
        title=_words(pull.title),
        author=_words(pull.author),
        target=_words(pull.target),
        base=pull.base,
        head=pull.head,
        state=pull.state,
        forge_state=_words(msgspec.json.encode({**said, **merged}).decode()),
        opened_at=pull.opened_at,
        read_at=read_at,
    )
    return service.database.change(lambda connection: changes.keep(connection, read))


def fetch(way: Way, wanted: Wanted, source: CloneFrom) -> Brought:
    """As `Mirrors.bring`; ForgeError where trying again may help, FetchError where it does not."""
    try:
        return way.mirrors.bring(wanted, source)
    except FetchError as error:
        if error.fault in ("damaged", "large", "slow"):
            raise
        wait = SOON if error.fault == "missing" else 30.0
        raise ForgeError(error.what, where=error.where, mend=error.mend, retry_after=wait) from error


# Private


def _analysis(
    way: Way, repository: Repository, read: tuple[Pull, bytes | None], change: Change, again: str
) -> Analysis:
    service, (pull, reviews) = way.service, read
    now = service.now()
    ask = Ask(
        mirror=str(way.mirrors.path_of(repository.forge, repository.slug)),
        repository=f"{repository.forge}:{repository.slug}",
        number=pull.number,
        tip=pull.base,
        now=f"{now[:19]}Z",
        pull=pull.document,
        reviews=reviews,
        again=again,
    )
    wanted = Wanted(repository.forge, repository.slug, pull.target, pull.number, pull.head)
    try:
        brought = fetch(way, wanted, forge_of(service, repository).clone(repository.slug))
    except FetchError as error:
        return unknown(ask, None, str(error), pull.head)
    except ForgeError:
        raise
    except InputError as error:  # a name that no branch can have
        return unknown(ask, None, str(error), pull.head)
    with service.database.read() as connection:
        signed = tuple(each.envelope for each in approvals.live(connection, change.id, now) if each.envelope)
        last = assessments.of_change(connection, change.id, most=2)
        looked = looks_document(connection, change.id, pull.head) if signed or reviews else None
        attached = tuple(
            Attached(each.kind, each.name, attachments.body(connection, each.id))
            for each in attachments.of_head(connection, change.id, pull.head)
        )
    ask = msgspec.structs.replace(
        ask,
        tip=brought.tip,
        looks=looked,
        approvals=signed,
        attached=attached,
        approvers=_approvers(service, repository, brought) if signed else {},
        known=tuple(each.key for each in last),
    )
    question = key_of(hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(ask, known=(), now=""))).hexdigest())
    if is_last(key := way.memory.key(change.id, question), ask.known):
        return Analysis(Begun(last[0].policy, key, ask.tip, pull.head, known=True), None)
    analysis = _fitting(analyse(ask, service.config.limits), ask, pull)
    way.memory.keep(change.id, question, analysis.begun.key)
    return analysis


def _fitting(analysis: Analysis, ask: Ask, pull: Pull) -> Analysis:
    """The document that was analysed and the head that the forge names are of one answer, and must agree."""
    if analysis.begun.head == pull.head:
        return analysis
    nothing = Begun(analysis.begun.policy)
    return unknown(ask, nothing, analysis.problem or "the forge contradicts itself about the head", pull.head)


def _approvers(service: Service, repository: Repository, brought: Brought) -> dict[str, tuple[str, ...]]:
    """Keys of the register by the names that the target branch's settings give people; none where those are broken:
    then the analysis says what is wrong with them."""
    from tidegate.server.standing import approvers_of

    try:
        with open_repository(brought.path, bare=True) as mirror:
            settings = read_settings(mirror, brought.tip, {}).settings
    except InputError:
        return {}
    return approvers_of(service, settings, repository)


def _words(text: str) -> str:
    """What a column of text can keep."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
