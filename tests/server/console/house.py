"""A service that listens, with the shop of `make demo` in it: assessed for real, mirrored, entered into the ledger."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from demo.run import SCRIPT
from msgspec import Struct
from sqlalchemy import Connection

from tests.repos import Repo, build
from tidegate.assess import Assessment, Request, assess
from tidegate.change.git import open_repository
from tidegate.change.read import Question
from tidegate.ledger.fields import Subject
from tidegate.ledger.log import NewEntry
from tidegate.ledger.predicates import assessment as recorded
from tidegate.ledger.statements import Statement
from tidegate.report.document import render_json
from tidegate.report.style import PLAIN
from tidegate.server.app import make_app
from tidegate.server.auth.passwords import hash_password
from tidegate.server.auth.session import digest_of
from tidegate.server.config import Config
from tidegate.server.entries import append
from tidegate.server.service import Service
from tidegate.server.start import open_service
from tidegate.store import accounts, assessments, changes, repositories
from tidegate.store.accounts import Session
from tidegate.store.assessments import NewAssessment
from tidegate.store.clock import later, now
from tidegate.store.repositories import NewRepository

PASSWORD = "correct horse battery staple"
PEOPLE = {
    "root": "admin",
    "erin": "approver",
    "dave": "approver",
    "alice": "approver",
    "rita": "reviewer",
    "vic": "viewer",
}


class House(Struct, frozen=True):
    """`change` is the shop's feature branch, `waiting` was never assessed. `repo` is the shop itself."""

    service: Service
    url: str
    repo: Repo
    change: int
    waiting: int

    def sign_in(self, name: str) -> str:
        """The secret of a new session of this person, as the browser's cookie would hold it."""
        secret, at = f"session-of-{name}-{time.monotonic_ns()}", now()
        with self.service.database.write() as connection:
            person = accounts.person_named(connection, name)
            assert person is not None
            session = Session(digest_of(secret), person.id, f"csrf-of-{name}", at, at, later(at, 3600))
            accounts.open_session(connection, session)
        return secret


class Shop(Struct, frozen=True):
    """The repository and what Tidegate says of its feature branch."""

    repo: Repo
    assessment: Assessment
    document: bytes


def make_shop(folder: Path, script: str = SCRIPT, branch: str = "feature") -> Shop:
    """Builds it, and assesses the branch against main."""
    repo = build(folder, script)
    with open_repository(folder) as repository:
        asked = Request(Question(change=f"main..{branch}"), "merge", "2026-03-01T09:00:00Z", {})
        said = assess(asked, repository)
    return Shop(repo, said, render_json(said.facts, said.verdict, PLAIN).encode())


class Furnished(Struct, frozen=True):
    """The folder of a service with the shop in it, to be copied."""

    data: Path
    shop: Shop
    change: int
    waiting: int


def furnish(folder: Path, shop: Shop) -> Furnished:
    """Made once for many tests."""
    with open_service(_config(folder / "data", 8787)) as service:
        change, waiting = _fill(service, shop)
    return Furnished(folder / "data", shop, change, waiting)


@contextmanager
def open_house(folder: Path, furnished: Furnished) -> Iterator[House]:
    """Serves a copy on a free port of this machine, under the name localhost: browsers ask authenticators there."""
    shutil.copytree(furnished.data, folder / "data", symlinks=True)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = _config(folder / "data", listening.getsockname()[1])
        with open_service(config) as service, _serving(service, listening):
            yield House(service, config.url, furnished.shop.repo, furnished.change, furnished.waiting)


# Private


def _config(data: Path, port: int) -> Config:
    return Config(data=data, database=f"sqlite:///{data}/tidegate.db", url=f"http://localhost:{port}", port=port)


@contextmanager
def _serving(service: Service, listening: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(make_app(service), log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 10
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        assert server.started
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def _fill(service: Service, shop: Shop) -> tuple[int, int]:
    mirror = service.config.data / "mirrors" / "github" / "acme" / "shop.git"
    mirror.parent.mkdir(parents=True)
    subprocess.run(["git", "clone", "-q", "--mirror", shop.repo.path, mirror], check=True)
    with service.database.write() as connection:
        _add_people(connection)
        new = NewRepository("github", "acme/shop", "https://github.com/acme/shop.git", "main")
        repository = repositories.add(connection, new, now()).id
        head, base = shop.repo.head("feature"), shop.repo.head("main")
        change = _change(connection, repository, 7, "Take payments twice as fast", base, head)
        waiting = _change(connection, repository, 8, "Name things after what they hold", base, shop.repo.head("tidy"))
        kept = assessments.put(connection, assessed(change, shop), now()).assessment
    entry = record(service, shop)
    service.database.change(lambda connection: assessments.set_entry(connection, kept.id, entry))
    return change, waiting


def assessed(change: int, shop: Shop) -> NewAssessment:
    """The row that a worker would write."""
    facts, verdict = shop.assessment.facts, shop.assessment.verdict
    return NewAssessment(
        change=change,
        key=f"key-{change}",
        base=facts.change.base,
        head=facts.change.head,
        merge_tree=facts.change.head_tree,
        policy=verdict.policy_digest.removeprefix("sha256:"),
        facts=hashlib.sha256(shop.document).hexdigest(),
        verdict=verdict.outcome,
        risk=None,
        document=shop.document,
    )


def record(service: Service, shop: Shop, times: int = 5) -> int:
    """Enters what was said into the ledger; the first index."""
    facts, verdict = shop.assessment.facts, shop.assessment.verdict
    first = -1
    for number in range(times):
        said = recorded.Assessment(
            repository="https://github.com/acme/shop",
            target="refs/heads/main",
            base=facts.change.base,
            head=facts.change.head,
            merge_tree=facts.change.head_tree,
            policy=hashlib.sha256(b"policy").hexdigest(),
            facts=hashlib.sha256(shop.document).hexdigest(),
            verdict=verdict.outcome,
            tool="tidegate",
            at="2026-03-01T09:00:00Z",
        )
        subject = Subject(digest={"gitCommit": facts.change.head}, name=f"acme/shop#{7 + number}")
        index = append(service, f"assessment-{number}", Statement((subject,), said), f"acme/shop#{7 + number}")
        first = index if first < 0 else first
    return first


def _add_people(connection: Connection) -> None:
    for name, role in PEOPLE.items():
        person = accounts.add_person(connection, name, name.title(), role, now())
        accounts.add_identity(connection, person.id, "forge", "github.com", name, now())
        accounts.add_identity(connection, person.id, "email", "", f"{name}@example.com", now())
    root = accounts.person_named(connection, "root")
    assert root is not None
    accounts.set_password(connection, root.id, hash_password(PASSWORD), now())


def _change(connection: Connection, repository: int, number: int, title: str, base: str, head: str) -> int:
    read = changes.Read(
        repository=repository,
        number=number,
        title=title,
        author="alice",
        target="main",
        base=base,
        head=head,
        state="open",
        forge_state="{}",
        opened_at=later(now(), -7200),
        read_at=now(),
    )
    return changes.keep(connection, read).change.id


def grow(house: House, entries: int) -> None:
    """That many more entries in the ledger."""
    submitted = [
        house.service.log.submit(NewEntry(f"grown-{number}", "urn:test:predicate:1", "acme/shop", b"{%d}" % number))
        for number in range(entries)
    ]
    for each in submitted:
        each.result(10)
