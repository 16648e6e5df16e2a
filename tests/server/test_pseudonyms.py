"""Erasing a person reaches what the ledger commits to of their agents, by whatever they are known."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select
from starlette.testclient import TestClient

from tests.server.conftest import Made
from tests.server.test_api_use import Caller
from tests.server.test_work_journey import Place, make_place
from tidegate.facts import CommitFact, Facts, SpanFact
from tidegate.ledger import bodies
from tidegate.ledger.keys import KeyKind, NoteKey, PublicKey, read_software_key
from tidegate.ledger.log_verify import verify_log
from tidegate.ledger.predicates.provenance import AgentProvenance
from tidegate.ledger.quorum import Quorum
from tidegate.ledger.statements import open_entry
from tidegate.server import erasure
from tidegate.server.pseudonyms import marks_of, pseudonym_of_marks, pseudonyms_of, whose
from tidegate.server.service import Service
from tidegate.server.work.naming import Naming
from tidegate.server.work.written import put_provenance
from tidegate.settings import Identity, Settings
from tidegate.store import accounts, values
from tidegate.store.clock import now
from tidegate.store.repositories import Repository
from tidegate.store.tables import bodies as rows
from tidegate.store.tables import values as value_rows

OID = "a" * 40
REPOSITORY = Repository(1, "github", "acme/shop", "https://git.example/acme/shop.git", "main", now(), None)


@pytest.fixture
def place(service: Service, tmp_path: Path) -> Place:
    return make_place(service, tmp_path)


def said_of(place: Place, index: int) -> AgentProvenance:
    entry = place.service.log.entry(index)
    assert entry is not None
    _, _, signer = read_software_key(place.service.config.data / "ledger.key")
    said, _ = open_entry(entry.envelope, [PublicKey(signer.algorithm, signer.public_key)])
    assert isinstance(said.predicate, AgentProvenance)
    return said.predicate


def put(place: Place, human: str, commit: str = OID) -> AgentProvenance:
    """On record: an agent wrote this commit, with a prompt and a session, and this person answers for it."""
    span = SpanFact(
        "a.py", 1, 9, "ai", "claude", "opus", f"session of {commit[:4]}", "salted", human, "", "E4", "x", commit
    )
    made = Facts(now=now())
    commits = (CommitFact(commit, 1, "", "", now(), now(), ""),)
    provenance, change = replace(made.provenance, spans=(span,)), replace(made.change, commits=commits)
    made = replace(made, provenance=provenance, change=change)
    naming = Naming(place.service, place.repository, place.repo.head("main"))
    put_provenance(place.service, naming, place.repo.head("main"), made)
    return said_of(place, place.service.log.size() - 1)


def left_of(place: Place, kind: str) -> int:
    query = select(func.count()).where(rows.c.kind == kind, rows.c.body.is_not(None))
    with place.service.database.read() as connection:
        return int(connection.execute(query).scalar_one())


def erase(place: Place, text: str) -> int:
    service = place.service
    _, _, signer = read_software_key(service.config.data / "ledger.key")
    found = erasure.look(service.database, text)
    return erasure.erase_found(service.database, service.log, signer, found, "request", service.now()).count


def whole(place: Place) -> bool:
    name, _, signer = read_software_key(place.service.config.data / "ledger.key")
    key = NoteKey(name, KeyKind.LOG, PublicKey(signer.algorithm, signer.public_key)).public_key
    return verify_log(place.service.database, [key], Quorum(), entry_keys=[key]).whole


@pytest.mark.parametrize(
    ("human", "asked"),
    [
        ("Ada <Ada@Shop.example>", "ada@shop.example"),
        ("Ada <7+ada@users.noreply.github.com>", "@Ada"),
        ("@ada", "@ADA"),
        ("ada", "ada"),
        ("Ada <>", "Ada <>"),
    ],
)
def test_whoever_nobody_registered_is_found_by_what_the_facts_call_them(place: Place, human: str, asked: str) -> None:
    said = put(place, human)
    task, run = said.build_definition.external_parameters, said.build_definition.internal_parameters
    assert task.requester.startswith("person:")
    assert (left_of(place, "prompt-digest"), left_of(place, "session"), left_of(place, "person")) == (1, 1, 1)
    other = put(place, "Ben <ben@shop.example>", "b" * 40)
    assert other.build_definition.external_parameters.requester != task.requester
    before = [place.service.log.entry(index) for index in range(2)]
    assert erase(place, asked) == 3, "the name, the prompt's digest and the session"
    with place.service.database.read() as connection:
        assert bodies.read(connection, task.prompt) is None
        assert bodies.read(connection, run.session) is None
        assert whose(connection, asked) == ()
    assert (left_of(place, "prompt-digest"), left_of(place, "session"), left_of(place, "person")) == (1, 1, 1)
    assert [place.service.log.entry(index) for index in range(2)] == before
    assert whole(place)


def test_the_same_person_has_one_pseudonym_whatever_names_them(place: Place) -> None:
    first = put(place, "Ada <ada@shop.example>")
    again = put(place, "Ada L. <ADA@shop.example>", "c" * 40)
    assert first.build_definition.external_parameters.requester == again.build_definition.external_parameters.requester


def test_somebody_of_the_service_is_called_as_everywhere_and_erased_with_what_came_before(place: Place) -> None:
    service, early = place.service, put(place, "Ada <ada@shop.example>")
    with service.database.write() as connection:
        ada = accounts.add_person(connection, "lovelace", "Ada", "approver", now())
        accounts.add_identity(connection, ada.id, "email", "", "Ada@shop.example", now())
    late = put(place, "Ada <ada@shop.example>", "d" * 40)
    with service.database.read() as connection:
        own = pseudonyms_of(connection, ada.id)
    names = [said.build_definition.external_parameters.requester for said in (late, early)]
    assert own == tuple(names), "her own, and the one that her address had before"
    assert erase(place, "lovelace") == 6
    assert (left_of(place, "prompt-digest"), left_of(place, "session"), left_of(place, "person")) == (0, 0, 0)
    with service.database.read() as connection:
        remembered = connection.execute(select(value_rows.c.value).where(value_rows.c.value.in_(names))).all()
    assert remembered == []
    assert whole(place)


def test_an_admin_erases_what_an_account_had_before_it_was_said_whose_it_is(client: TestClient, made: Made) -> None:
    with made.service.database.write() as connection:
        name = pseudonym_of_marks(connection, marks_of("@ada", REPOSITORY), "@ada", now())
        kept = bodies.keep(connection, bodies.Body(name, "session", b"hers"), now())
        accounts.add_identity(connection, made.world.ada, "forge", "github.com", "Ada", now())
        assert pseudonyms_of(connection, made.world.ada) == (name,)
    admin = Caller(client, made, "admin", at_browser=True)
    gone = admin("POST", f"/people/{made.world.ada}/erasure", {"ground": "request", "name": "ada"})
    assert gone["count"] == 3, "two names and a session"
    with made.service.database.read() as connection:
        assert bodies.read(connection, kept) is None


def test_an_account_of_two_people_is_neither_ones(service: Service) -> None:
    with service.database.write() as connection:
        for name, issuer in (("ada", "github"), ("ben", "github.com")):
            person = accounts.add_person(connection, name, name, "viewer", now())
            accounts.add_identity(connection, person.id, "forge", issuer, "shared", now())
        pseudonym = pseudonym_of_marks(connection, marks_of("@shared", REPOSITORY), "@shared", now())
        assert [values.read(connection, f"pseudonym/{person}") for person in (1, 2)] == [None, None]
        assert pseudonym in pseudonyms_of(connection, 1), "whoever erases either of them erases what may be theirs"


def test_a_body_that_is_nobodys_is_erased_by_its_commitment(place: Place) -> None:
    said = put(place, "")
    task, run = said.build_definition.external_parameters, said.build_definition.internal_parameters
    assert task.requester == ""
    assert erase(place, task.prompt) == 1
    with place.service.database.read() as connection:
        assert bodies.read(connection, task.prompt) is None
        assert bodies.read(connection, run.session) is not None
    assert whole(place)


def test_a_key_of_people_is_known_by_the_accounts_that_the_settings_give_it(place: Place) -> None:
    place.repo.git("checkout", "-q", "main")
    place.repo.commit("Say who is who", {"tidegate.toml": SETTINGS})
    mirror = place.service.config.data / "mirrors" / "github" / "acme" / "shop.git"
    mirror.parent.mkdir(parents=True)
    shutil.copytree(place.repo.path / ".git", mirror)
    put(place, "countess")
    assert erase(place, "ada@shop.example") == 3
    put(place, "countess", "e" * 40)
    assert erase(place, "countess") == 3
    assert whole(place)


SETTINGS = """
[people.countess]
emails = ["ada@shop.example"]
accounts = ["ada"]
"""


def test_marks_of_a_key_are_those_of_its_entry() -> None:
    people = {"countess": Identity(emails=("Ada@Shop.example",), accounts=("ada",))}
    marks = marks_of("countess", REPOSITORY, Settings(people=people))
    assert [(mark.kind, mark.issuer, mark.subject) for mark in marks] == [
        ("email", "", "ada@shop.example"),
        ("forge", "github", "ada"),
        ("forge", "git.example", "ada"),
        ("forge", "github.com", "ada"),
        ("name", "repo:acme/shop", "countess"),
    ]
