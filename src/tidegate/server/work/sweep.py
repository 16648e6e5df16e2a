"""Finds what was lost: the work of dead workers, changes nobody told us of, decisions that nobody recorded or said.

Every task may be done by all workers at once. What it finds goes the usual way, through the inbox, under an id that
follows from what was found, so that it is found once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection

from tidegate.server.acts import enter_all
from tidegate.server.again import ask_about_ended
from tidegate.server.auth import tries
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.values import Delivery as Hint
from tidegate.server.forge.values import Forge, Pull
from tidegate.server.insight.keeping import keep_landed
from tidegate.server.logs import log
from tidegate.server.work.errands import Errands
from tidegate.server.work.journey import Way
from tidegate.server.work.questions import key_of
from tidegate.server.work.record import put_entries
from tidegate.server.work.routes import register
from tidegate.server.work.say import say
from tidegate.store import accounts, assessments, changes, inbox, publications, repositories, values, workers
from tidegate.store.changes import Change
from tidegate.store.clock import later
from tidegate.store.repositories import Repository

SETTLED_SECONDS = 30.0
"""What is younger is in somebody's hands, most likely."""
STRANDED_SECONDS = 120.0
MOST_CHANGES = 100_000
FORGET_SECONDS = 3600.0
STALE = {
    tries.FAILURES: tries.FORGOTTEN_AFTER,
    tries.DEVICE: tries.DEVICE_SECONDS,
    "oidc/": 86400.0,
    "webauthn/": 86400.0,
}
"""Values that must not be kept for ever, by the beginning of their names, and for how many seconds they count.

A sign-in by the provider is refused as used for a day: the provider's word for it is taken for ten minutes.
"""


class Sweeper:
    """The tasks of one worker. `recover` ends what DBOS remembers of a dead worker."""

    def __init__(
        self, way: Way, worker: str, errands: Errands, recover: Callable[[str], int], dead: float, ask: float
    ) -> None:
        self._way = way
        self._service = way.service
        self._worker = worker
        self._errands = errands
        self._recover = recover
        self._dead = dead
        self._ask = ask

    def tasks(self) -> Sequence[Callable[[], None]]:
        return (
            *(
                self.adopt,
                self.put_back_stranded,
                self.record,
                self.record_acts,
                self.say,
                self.find_ended,
                self.find_unassessed,
            ),
            *(self.ask_forges, self.count_landed, self.forget),
        )

    def adopt(self) -> None:
        """The work of workers that were not heard of: one of those who notice takes it."""
        service = self._service
        now = service.now()
        with service.database.read() as connection:
            dead = workers.dead(connection, later(now, -self._dead))
        for worker in dead:
            if worker.id != self._worker:
                self._adopt(worker.id, now)

    def put_back_stranded(self) -> None:
        """Deliveries in the hands of workers that are gone: DBOS lost them, or nobody adopted them in time."""
        service = self._service
        with service.database.read() as connection:
            living = {each.id for each in workers.living(connection)}
            stuck = inbox.stuck(connection, later(service.now(), -STRANDED_SECONDS), most=1000)
        gone = [each for each in stuck if each.state == "taken" and each.worker not in living]

        def work(connection: Connection) -> None:
            for each in gone:
                inbox.put_back(connection, each.id, each.problem)

        if gone:
            service.database.change(work)

    def record(self) -> None:
        """Decisions that the ledger does not hold yet."""
        with self._service.database.read() as connection:
            found = assessments.unrecorded(connection, later(self._service.now(), -SETTLED_SECONDS))
        for each in found:
            put_entries(self._service, each)

    def record_acts(self) -> None:
        """What admins did and the ledger does not hold yet."""
        enter_all(self._service)

    def say(self) -> None:
        """What was not said at the forge yet; what waits for witnesses is asked for soon, the rest after a while."""
        service = self._service
        with service.database.read() as connection:
            found = publications.unsent(connection, later(service.now(), -SETTLED_SECONDS / 10))
        for change in dict.fromkeys(each.change for each in found):
            self._say(change, [each for each in found if each.change == change])

    def find_ended(self) -> None:
        """Changes that passed by an approval or an emergency which is over."""
        ask_about_ended(self._service)

    def find_unassessed(self) -> None:
        """Open changes that were never decided on at their head."""
        service = self._service
        settled = later(service.now(), -SETTLED_SECONDS)
        after = 0
        while True:
            with service.database.read() as connection:
                page = changes.page(connection, after=after, state="open")
                old = [each for each in page if each.read_at < settled]
                bare = [each for each in old if assessments.latest(connection, each.id, head=each.head) is None]
                known = {each.id: repositories.get(connection, each.repository) for each in bare}
            for each in bare:
                repository = known[each.id]
                if repository is not None and repository.removed_at is None:
                    self._hand_in(repository, each.number, each.head, service.now()[:15])  # once in ten minutes
            if not page or page[-1].id > MOST_CHANGES:
                return
            after = page[-1].id

    def ask_forges(self) -> None:
        """What the forges know and we do not: deliveries that never came, and changes that are other than we think."""
        if not self._is_time("ask_forges", self._ask):
            return
        for name, forge in self._service.forges.items():
            self._ask_again(name, forge)
            self._register(name)
            after = 0
            while True:
                with self._service.database.read() as connection:
                    page = repositories.page(connection, after=after)
                if not page:
                    break
                for repository in page:
                    if repository.forge == name:
                        self._compare(repository, forge)
                after = page[-1].id

    def count_landed(self) -> None:
        """Changes that were merged and that insight does not count yet."""
        if count := keep_landed(self._service):
            log("counted", changes=count)

    def forget(self) -> None:
        """What counts for nothing any more: sessions that ended, failures of yesterday, sign-ins that are over."""
        if not self._is_time("forget", FORGET_SECONDS):
            return
        now = self._service.now()

        def work(connection: Connection) -> int:
            gone = (values.forget(connection, prefix, later(now, -seconds)) for prefix, seconds in STALE.items())
            return sum(gone) + accounts.sweep_sessions(connection, now)

        if count := self._service.database.change(work):
            log("forgotten", rows=count)

    # Private

    def _adopt(self, worker: str, now: str) -> None:
        """In one transaction: whoever died between the two would leave the work to nobody."""

        def work(connection: Connection) -> int | None:
            if not workers.stop_dead(connection, worker, later(now, -self._dead), now):
                return None
            held = inbox.held_by(connection, worker, most=100_000)
            return sum(inbox.put_back(connection, each.id, each.problem) for each in held)

        count = self._service.database.change(work)
        if count is not None:
            log("adopted", worker=worker, deliveries=count, workflows=self._recover(worker))

    def _say(self, change: int, unsent: Sequence[publications.Publication]) -> None:
        try:
            ending = say(self._service, change)
        except ForgeError as error:
            log("unsaid", change=change, problem=str(error)[:200])
            return
        if ending == "nothing":
            self._service.database.change(lambda connection: _drop(connection, unsent))

    def _ask_again(self, name: str, forge: Forge) -> None:
        """Has sent again what the forge says that it sent, and that is not in the inbox."""
        service, now = self._service, self._service.now()
        with service.database.read() as connection:
            since = values.read(connection, f"missed/{name}") or later(now, -3600)
        try:
            sent = forge.missed(since)
            with service.database.read() as connection:
                known = inbox.known(connection, name, [each.id for each in sent])
            for each in sent:
                if each.id not in known and each.at < later(now, -SETTLED_SECONDS):
                    forge.send_again(each)
        except ForgeError as error:
            log("unasked", forge=name, problem=str(error)[:200])
            return
        service.database.change(
            lambda connection: values.write(connection, f"missed/{name}", later(now, -10 * SETTLED_SECONDS), now)
        )

    def _register(self, name: str) -> None:
        """Repositories that were given to us while nobody told us."""
        try:
            register(self._service, name)
        except ForgeError as error:
            log("unasked", forge=name, problem=str(error)[:200])

    def _compare(self, repository: Repository, forge: Forge) -> None:
        try:
            pulls = {pull.number: pull for pull in forge.open_pulls(repository.slug)}
        except ForgeError as error:
            log("unasked", forge=repository.forge, problem=str(error)[:200])
            return
        with self._service.database.read() as connection:
            known = {
                each.number: each
                for each in changes.page(connection, repository=repository.id, state="open", most=MOST_CHANGES)
            }
        for number, pull in pulls.items():
            if number not in known or _differs(known[number], pull):
                self._hand_in(repository, number, pull.head, pull.updated_at)
        for number, change in known.items():
            if number not in pulls:
                self._hand_in(repository, number, change.head, f"gone {change.read_at}")

    def _hand_in(self, repository: Repository, number: int, head: str, why: str) -> None:
        name = f"tidegate-look-{key_of(repository.slug, str(number), head, why)[:40]}"
        hint = Hint(name, "pull", repository.slug, "look", number, head)
        found = inbox.Delivery(repository.forge, name, "look", repository.slug, msgspec.json.encode(hint))
        self._service.database.change(lambda connection: inbox.receive(connection, found, self._service.now()))

    def _is_time(self, task: str, seconds: float) -> bool:
        """Whether no worker did it lately; of two who ask at once both may be told so, which does no harm."""
        service, now = self._service, self._service.now()

        def work(connection: Connection) -> bool:
            last = values.read(connection, f"swept/{task}")
            if last is not None and last > later(now, -seconds):
                return False
            values.write(connection, f"swept/{task}", now, now)
            return True

        return service.database.change(work)


# Private


def _drop(connection: Connection, unsent: Sequence[publications.Publication]) -> None:
    for each in unsent:
        publications.failed(connection, each.id, "its repository is not looked after any more", for_good=True)


def _differs(change: Change, pull: Pull) -> bool:
    """What a decision follows from. Reviews are not told here: the deliveries that tell them are asked for again."""
    return (change.head, change.target, change.title) != (pull.head, pull.target, pull.title)
