"""Deliveries of a forge that repeats, reorders, loses and forges them, to workers that are killed: one decision each.

    python -m bench.server.deliveries [--deliveries 20000] [--changes 100] [--workers 3] [--database postgresql]

In two rounds every change gets a new head. Of the deliveries that tell so 5 % come twice, 2 % come after the others,
1 % do not come (all of some changes, which only asking the forge again finds), and 1 % more are forged. Every 5 s one
worker gets SIGKILL and another one is started. Forge and repositories are on disk, analyses are real. It fails unless
every head of every change has exactly one decision, which is in the ledger once, and the last one stands beside its
commit.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from starlette.testclient import TestClient
from tests.repos import build
from tests.server.paper_forge import PaperForge
from tests.store.postgres import running_postgres

from tidegate.server.app import make_app
from tidegate.server.config import Config
from tidegate.server.mirrors import Mirrors
from tidegate.server.service import Service
from tidegate.server.start import open_service
from tidegate.server.work.engine import Bell, Engine, Pace
from tidegate.server.work.journey import Way
from tidegate.store import assessments, changes, inbox, publications
from tidegate.store.engine import Database

PACE = Pace(beat=0.5, dead=4.0, look=0.2, sweep=1.0, ask=10.0, batch=5000)
REPOSITORIES = 5
ROUNDS = 2
TWICE, LATE, LOST, FORGED = 0.05, 0.02, 0.01, 0.01


class Outcome(Struct, frozen=True):
    """What was counted. `states` are heads of changes, each of which wants one decision."""

    states: int
    decisions: int
    missing: int
    doubled: int
    entries: int
    unsaid: int
    sent: int
    forged_taken: int
    unhandled: int
    kills: int
    seconds: float
    cpu_seconds: float

    @property
    def good(self) -> bool:
        right = self.decisions == self.states and self.entries == 2 * self.states
        return right and not (self.missing or self.doubled or self.unsaid or self.forged_taken or self.unhandled)


def run(folder: Path, url: str, *, deliveries: int, changes_: int, workers: int, kill_every: float = 5.0) -> Outcome:
    """One run of that many deliveries about that many changes."""
    started = time.monotonic()
    forge = PaperForge(folder / "forge")
    homes = [folder / f"home{number}" for number in range(workers)]
    with ExitStack() as stack:
        service = stack.enter_context(_service(homes[0], url, forge))
        for home in homes[1:]:
            home.mkdir(mode=0o700)
            shutil.copy2(homes[0] / "ledger.key", home / "ledger.key")
        world = World(forge, folder, changes_)
        client = stack.enter_context(TestClient(make_app(service), base_url="http://127.0.0.1:8787"))
        team = stack.enter_context(_team([(folder, home, url) for home in homes], kill_every))
        sender = Sender(client, forge, random.Random(7))
        for round_ in range(ROUNDS):
            world.move_on(round_)
            sender.send(world, round_, deliveries // ROUNDS)
            _settle(service, changes_ * (round_ + 1))
        kills = team.kills
    with _service(homes[0], url, forge) as service:
        counted = _count(service, forge, world)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return replace(
        counted,
        sent=sender.sent,
        forged_taken=sender.forged_taken,
        kills=kills,
        seconds=time.monotonic() - started,
        cpu_seconds=sum(each.ru_utime + each.ru_stime for each in used),
    )


class World:
    """Repositories with changes, each of which is a branch of one file."""

    def __init__(self, forge: PaperForge, folder: Path, count: int) -> None:
        self.forge = forge
        self.repos = {
            f"acme/repo{number}": build(folder / f"source{number}", _SCRIPT)
            for number in range(min(REPOSITORIES, count))
        }
        for slug, repo in self.repos.items():
            forge.add(slug, repo)
        slugs = sorted(self.repos)
        self.changes = [(slugs[number % len(slugs)], number // len(slugs) + 1) for number in range(count)]
        self.heads: dict[tuple[str, int], list[str]] = {each: [] for each in self.changes}

    def move_on(self, round_: int) -> None:
        """Every change gets a commit on top."""
        for slug, number in self.changes:
            repo, told = self.repos[slug], self.heads[slug, number]
            parent = told[-1] if told else "main"
            repo.git("read-tree", parent)
            blob = repo.git(
                "hash-object", "-w", "--stdin", stdin=f"def f{number}():\n    return {round_}  # {slug}\n".encode()
            )
            repo.git("update-index", "--add", "--cacheinfo", f"100644,{blob},part{number}.py")
            head = repo.git("commit-tree", repo.git("write-tree"), "-p", parent, "-m", f"Return {round_}")
            told.append(head)
            self.forge.open_pull(slug, number, head, title=f"Return {round_} from {number}")


class Sender:
    """Sends as a forge does on a bad day."""

    def __init__(self, client: TestClient, forge: PaperForge, chance: random.Random) -> None:
        self.client, self.forge, self.chance = client, forge, chance
        self.sent = self.forged_taken = 0

    def send(self, world: World, round_: int, count: int) -> None:
        silent = set(world.changes[round_ :: round(1 / LOST)])
        late: list[tuple[dict[str, str], bytes]] = []
        for number in range(count):
            slug, pull = world.changes[number % len(world.changes)]
            made = self.forge.pull_delivery(f"r{round_}-{number}", slug, pull, "synchronize")
            self.sent += 1
            if (slug, pull) in silent:
                continue
            if self.chance.random() < LATE:
                late.append(made)
                continue
            self._post(*made)
            if self.chance.random() < TWICE:
                self._post(*made)
            if self.chance.random() < FORGED:
                self._post_forged(f"forged-{round_}-{number}", *made)
        for made in late:
            self._post(*made)

    def _post(self, headers: dict[str, str], body: bytes) -> None:
        answer = self.client.post("/hooks/github", headers=headers, content=body)
        if answer.status_code != 202:
            raise AssertionError(f"a delivery was answered with {answer.status_code}")

    def _post_forged(self, guid: str, headers: dict[str, str], body: bytes) -> None:
        bad = {**headers, "x-github-delivery": guid, "x-hub-signature-256": f"sha256={self.chance.randbytes(32).hex()}"}
        self.forged_taken += self.client.post("/hooks/github", headers=bad, content=body).status_code != 401


class Team:
    """Processes that work, one of which is killed now and then."""

    def __init__(self, homes: list[tuple[Path, Path, str]], kill_every: float) -> None:
        self.kills = 0
        self._homes, self._every = homes, kill_every
        self._ended = threading.Event()
        self._running = [self._start(home) for home in homes]
        self._killer = threading.Thread(target=self._kill_now_and_then, daemon=True)
        self._killer.start()

    def stop(self) -> None:
        self._ended.set()
        self._killer.join()
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        for process in self._running:
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _kill_now_and_then(self) -> None:
        turn = 0
        while not self._ended.wait(self._every):
            process = self._running[turn % len(self._running)]
            process.kill()
            process.wait()
            self._running[turn % len(self._running)] = self._start(self._homes[turn % len(self._homes)])
            self.kills += 1
            turn += 1

    def _start(self, home: tuple[Path, Path, str]) -> subprocess.Popen[bytes]:
        folder, data, url = home
        command = [sys.executable, "-m", "bench.server.deliveries", "--work", str(folder), str(data), url]
        with (folder / "workers.log").open("ab") as log:
            return subprocess.Popen(command, stderr=log, stdout=log)


def work(folder: Path, home: Path, url: str) -> None:
    """One worker, until it is told to stop."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    forge = PaperForge(folder / "forge")
    with _service(home, url, forge) as service:
        way = Way(service, Mirrors(home / "mirrors", frozenset(("file",))))
        while not ended.is_set():
            engine = Engine(way, Bell(), 1, PACE)
            while not engine.lost and not ended.wait(0.2):
                pass
            engine.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--kill-every", type=float, default=5.0)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--work", nargs=3, metavar=("FOLDER", "HOME", "URL"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(Path(given.work[0]), Path(given.work[1]), given.work[2])
        return 0
    with tempfile.TemporaryDirectory(prefix="tg-deliveries-") as name, ExitStack() as stack:
        folder = Path(name)
        url = f"sqlite:///{folder}/home0/tidegate.db"
        if given.database == "postgresql":
            url = stack.enter_context(running_postgres(folder)).new_database()
        stack.enter_context(redirect_stderr(stack.enter_context((folder / "requests.log").open("w"))))
        outcome = run(
            folder,
            url,
            deliveries=given.deliveries,
            changes_=given.changes,
            workers=given.workers,
            kill_every=given.kill_every,
        )
    for field in outcome.__struct_fields__:
        sys.stdout.write(f"{field:14} {getattr(outcome, field):10.10g}\n")
    sys.stdout.write("exactly one decision each\n" if outcome.good else "NOT exactly one decision each\n")
    return 0 if outcome.good else 1


# Private

_SCRIPT = """
commit Begin
  file app.py
    . x = 1
  file README.md
    . A small thing.
"""


@contextmanager
def _service(home: Path, url: str, forge: PaperForge) -> Iterator[Service]:
    with open_service(Config(data=home, database=url)) as service:
        yield replace(service, forges={"github": forge})


@contextmanager
def _team(homes: list[tuple[Path, Path, str]], kill_every: float) -> Iterator[Team]:
    team = Team(homes, kill_every)
    try:
        yield team
    finally:
        team.stop()


def _decided(database: Database) -> int:
    with database.read() as connection:
        page = changes.page(connection, most=100_000)
        return sum(len(assessments.of_change(connection, each.id, most=1000)) for each in page)


def _settle(service: Service, decisions: int, seconds: float = 3600) -> None:
    """Until nothing waits to be done or said, and every change of the round was found."""
    ends = time.monotonic() + seconds
    while True:
        with service.database.read() as connection:
            counts = inbox.counts(connection)
            unsent = publications.unsent(connection, service.now())
        waiting = counts.get("new", 0) + counts.get("taken", 0) + len(unsent)
        if not waiting and _decided(service.database) >= decisions:
            return
        if time.monotonic() > ends:
            raise AssertionError(f"not settled in {seconds:g} s: {counts}, {len(unsent)} unsaid")
        time.sleep(0.5)


def _count(service: Service, forge: PaperForge, world: World) -> Outcome:
    decisions: Counter[tuple[int, str]] = Counter()
    unsaid = missing = 0
    with service.database.read() as connection:
        for change in changes.page(connection, most=100_000):
            made = assessments.of_change(connection, change.id, most=1000)
            decisions.update((change.id, each.head) for each in made)
            check = forge.check_of(change.head)
            unsaid += check is None or not made or check["key"] != made[0].key
        counts = inbox.counts(connection)
        known = {each.head for each in changes.page(connection, most=100_000)}
    missing = sum(heads[-1] not in known for heads in world.heads.values())
    states = sum(map(len, world.heads.values()))
    return Outcome(
        states=states,
        decisions=sum(decisions.values()),
        missing=missing + states - len(decisions),
        doubled=sum(count - 1 for count in decisions.values()),
        entries=service.log.size(),
        unsaid=unsaid,
        sent=0,
        forged_taken=0,
        unhandled=sum(count for state, count in counts.items() if state not in ("done", "ignored")),
        kills=0,
        seconds=0.0,
        cpu_seconds=0.0,
    )


if __name__ == "__main__":
    sys.exit(main())
