"""What a person types: verify, prove, take along, erase, recover, seed, gather evidence."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from bench.ledger.population import ANY_TIME
from click.testing import CliRunner, Result

from tests.repos import Repo
from tidegate.cli.ledger import ledger
from tidegate.cli.witness import witness
from tidegate.errors import InputError
from tidegate.ledger import bodies
from tidegate.ledger.bodies import Body
from tidegate.ledger.evidence.pack import Pack
from tidegate.ledger.evidence.values import Merge
from tidegate.ledger.fields import Subject
from tidegate.ledger.keys import KeyKind, NoteKey, NoteSigningKey, PublicKey, SoftwareKey, write_key
from tidegate.ledger.log import LogSettings, NewEntry, open_log
from tidegate.ledger.predicates.assessment import TYPE, Assessment
from tidegate.ledger.quorum import Quorum
from tidegate.ledger.receipt import parse_receipt, verify_receipt
from tidegate.ledger.statements import Statement, sign_statement
from tidegate.ledger.witness import Request, Witness
from tidegate.ledger.witness_state import FolderState
from tidegate.server.witness import GitState, TwoStates
from tidegate.store import repositories
from tidegate.store.clock import now, text_of
from tidegate.store.migrate import prepare_database

ORIGIN = "ledger.test/cli"
SEEN_AT = 1_800_000_000
KEY = SoftwareKey("ed25519", b"C" * 32)
VKEY = NoteKey(ORIGIN, KeyKind.LOG, PublicKey("ed25519", KEY.public_key)).vkey
PERSON = f"person:{7:032x}"
OTHER = f"person:{8:032x}"


class Here:
    """A machine with a service's folder, a repository with three commits, and decisions on two of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repo = Repo.init(folder / "work")
        self.oids = [self.repo.commit(f"change {number}", {"a": f"{number}\n"}) for number in range(3)]
        self.data = folder / "data"
        self.data.mkdir()
        write_key(self.data / "ledger.key", ORIGIN, KeyKind.LOG, KEY)
        database = prepare_database(f"sqlite:///{self.data}/tidegate.db")
        with open_log(database, KEY, LogSettings(ORIGIN, self.data / "ledger.checkpoint", limits=ANY_TIME)) as log:
            for at in (1, 2):
                log.append(self.decision(at))
        with database.write() as connection:
            bodies.keep(connection, Body(PERSON, "prompt", b"secret words"), now())
        database.close()
        self.merges = folder / "merges.json"
        self.merges.write_bytes(msgspec.json.encode([self.merge(1), self.merge(2)]))

    def decision(self, at: int) -> NewEntry:
        tree = self.repo.git("rev-parse", f"{self.oids[at]}^{{tree}}")
        says = Assessment(
            repository="repo:team/shop",
            target="refs/heads/main",
            base=self.oids[at - 1],
            head=self.oids[at],
            merge_tree=tree,
            policy="a" * 64,
            facts="b" * 64,
            verdict="pass" if at == 1 else "hold",
            tool="tidegate/1",
            at=self.time(at, -60),
        )
        envelope = sign_statement(Statement((Subject(digest={"gitCommit": self.oids[at]}),), says), [KEY])
        return NewEntry(f"decision {at}", TYPE, self.oids[at], envelope)

    def merge(self, at: int) -> Merge:
        seconds = float(self.repo.git("log", "-1", "--format=%ct", self.oids[at]))
        head = self.oids[at]
        return Merge(number=at, target="refs/heads/main", head=head, commit=head, at=seconds, unknown_lines=0)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.data}/tidegate.db"

    def shown(self, folder: Path, where: str, number: int) -> str:
        """The ledger as somebody is shown it."""
        if where == "exported" and not (folder / str(number)).exists():
            self.run("export", str(folder / str(number)))
        return str(folder / str(number)) if where == "exported" else self.url

    def rewrite(self) -> None:
        """The keeper makes another history with the key."""
        shutil.rmtree(self.data)
        self.data.mkdir()
        write_key(self.data / "ledger.key", ORIGIN, KeyKind.LOG, KEY)
        database = prepare_database(self.url)
        with open_log(database, KEY, LogSettings(ORIGIN, self.data / "ledger.checkpoint", limits=ANY_TIME)) as log:
            for at in (2, 1):
                log.append(self.decision(at))
        database.close()

    def time(self, at: int, add: int) -> str:
        from tidegate.ledger.fields import format_time

        return format_time(int(self.repo.git("log", "-1", "--format=%ct", self.oids[at])) + add)

    def run(self, *arguments: str, code: int = 0) -> Result:
        done = CliRunner().invoke(ledger, list(arguments), standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        assert done.return_value == code, done.output
        return done


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Here:
    return Here(tmp_path_factory.mktemp("here"))


@pytest.fixture
def here(template: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    shutil.copytree(template.data, tmp_path / "data")
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("TIDEGATE_DATABASE_URL", raising=False)
    monkeypatch.chdir(template.repo.path)
    template.data = tmp_path / "data"
    yield template
    template.data = template.folder / "data"


def test_verify_says_what_holds_and_what_nobody_could_have_noticed(here: Here) -> None:
    said = here.run("verify").output
    assert "2 entries" in said
    assert "verified: entries, tiles, checkpoints and signatures agree" in said
    assert "the key was taken from this machine" in said
    assert "Nobody outside has seen this log" in said
    given = json.loads(here.run("verify", "--log-key", VKEY, "--format", "json").output)
    assert (given["verified"], given["key_given"], given["size"]) == (True, True, 2)


def test_verify_finds_what_was_changed(here: Here) -> None:
    database = prepare_database(f"sqlite:///{here.data}/tidegate.db")
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE entries SET envelope = x'7b7d' WHERE \"index\" = 1")
    database.close()
    assert "not verified: entry 1" in here.run("verify", code=1).output


def test_what_is_exported_needs_no_database(here: Here, tmp_path: Path) -> None:
    here.run("export", str(tmp_path / "out"))
    assert "2 entries" in here.run("verify", str(tmp_path / "out"), "--log-key", VKEY).output
    with pytest.raises(InputError, match="whose ledger"):
        here.run("verify", str(tmp_path / "out"))
    (tmp_path / "out/tile/0/000.p/2").write_bytes(b"x" * 64)
    said = here.run("verify", str(tmp_path / "out"), "--log-key", VKEY, code=1).output
    assert "does not agree with the entries" in said
    with pytest.raises(InputError, match="not empty"):
        here.run("export", str(tmp_path / "out"))


@pytest.mark.parametrize("where", ["", "exported"])
def test_a_receipt_and_its_entry_prove_each_other(here: Here, tmp_path: Path, where: str) -> None:
    if where:
        here.run("export", str(tmp_path / where))
    source = [str(tmp_path / where)] if where else []
    entry, receipt = tmp_path / "entry.json", tmp_path / "receipt"
    here.run("receipt", "1", *source, "--entry", str(entry), "-o", str(receipt))
    key = NoteKey(ORIGIN, KeyKind.LOG, PublicKey("ed25519", KEY.public_key))
    read = parse_receipt(receipt.read_bytes())
    assert verify_receipt(read, entry.read_bytes(), ORIGIN, [key], Quorum()).index == 1
    proof = here.run("prove", "1", *source).output.split()
    assert [base64.b64decode(line) for line in proof] == list(read.proof)
    assert here.run("prove", "2", *source, "--from-size", "1").output.strip()
    with pytest.raises(InputError, match="no entry 9"):
        here.run("receipt", "9", *source)


def test_erasing_a_person_leaves_every_proof_valid(here: Here) -> None:
    with pytest.raises(InputError, match="nobody is here to ask"):
        here.run("erase", PERSON)
    assert "1 bodies are erased; entry 2 says so" in here.run("erase", PERSON, "--yes").output
    assert "3 entries" in here.run("verify").output
    with pytest.raises(InputError, match="nothing of this person"):
        here.run("erase", PERSON, "--yes")
    assert b"secret words" not in b"".join(path.read_bytes() for path in here.data.glob("tidegate.db*"))


def test_a_ledger_that_was_put_back_goes_on_when_two_people_say_so(here: Here, tmp_path: Path) -> None:
    backup = {path: path.read_bytes() for path in here.data.glob("tidegate.db*")}
    here.run("erase", PERSON, "--yes")
    for path in here.data.glob("tidegate.db*"):
        path.unlink()
    for path, data in backup.items():
        path.write_bytes(data)
    with pytest.raises(InputError, match="refuses to sign, so nothing was erased"):
        here.run("erase", PERSON, "--yes")
    with pytest.raises(InputError, match="two different people"):
        here.run("recover", "--first", PERSON, "--second", PERSON, "--reason", "disk", "--yes")
    said = here.run("recover", "--first", PERSON, "--second", OTHER, "--reason", "disk", "--yes").output
    assert "lost are entries 2 to 2" in said
    assert f"--origin {ORIGIN}/epoch/2+" in said
    assert "verified: entries" in here.run("verify").output
    here.run("export", str(tmp_path / "out"))
    vkey = said.rpartition("--origin ")[2].strip()
    assert "verified: entries" in here.run("verify", str(tmp_path / "out"), "--log-key", vkey).output
    with pytest.raises(InputError, match="nothing to recover"):
        here.run("recover", "--first", PERSON, "--second", OTHER, "--reason", "disk", "--yes")


class TestEvidence:
    def gather(self, here: Here, out: Path, *more: str, code: int = 1) -> Pack:
        period = ["--from", here.time(1, -3000), "--to", "2099-01-01T00:00:00Z"]
        whose = ["--repository", "repo:team/shop", "--log-key", VKEY]
        here.run("evidence", str(here.folder / "exported"), *period, *whose, "-o", str(out), *more, code=code)
        return msgspec.json.decode((out / "index.json").read_bytes(), type=Pack)

    @pytest.fixture(autouse=True)
    def exported(self, here: Here) -> None:
        if not (here.folder / "exported").exists():
            here.run("export", str(here.folder / "exported"))

    def test_a_pack_lists_every_commit_of_the_branch(self, here: Here, tmp_path: Path) -> None:
        pack = self.gather(here, tmp_path / "pack", "--merges", str(here.merges))
        assert [listed.change.commit for listed in pack.changes] == here.oids[1:]
        kinds = [[found.kind for found in listed.change.exceptions] for listed in pack.changes]
        assert kinds == [["no-tests", "no-approval"], ["merged-while-held", "no-tests", "no-approval"]]
        assert {leg.name: leg.total for leg in pack.legs}["deployments"] is None

    def test_without_the_forge_that_leg_is_not_collected(self, here: Here, tmp_path: Path) -> None:
        pack = self.gather(here, tmp_path / "pack")
        assert {leg.name: leg.total for leg in pack.legs}["forge: merged changes"] is None
        assert "unknown-provenance" in {each.kind for each in pack.exceptions}

    def test_with_a_database_the_forge_speaks_from_it(self, here: Here, tmp_path: Path) -> None:
        database = prepare_database(f"sqlite:///{here.data}/tidegate.db")
        with database.write() as connection:
            new = repositories.NewRepository("github", "team/shop", "https://forge.test/team/shop.git", "main")
            repositories.add(connection, new, now())
        database.close()
        period = ["--from", here.time(1, -3000), "--to", "2099-01-01T00:00:00Z", "--repository", "repo:team/shop"]
        here.run("evidence", *period, "-o", str(tmp_path / "pack"), code=1)
        pack = msgspec.json.decode((tmp_path / "pack/index.json").read_bytes(), type=Pack)
        assert {leg.name: leg.total for leg in pack.legs}["forge: merged changes"] == 0
        assert {each.kind: each.count for each in pack.exceptions}["merge-outside-forge"] == 2

    def test_one_change_by_its_number_or_commit(self, here: Here, tmp_path: Path) -> None:
        merges = ("--merges", str(here.merges))
        by_number = self.gather(here, tmp_path / "one", *merges, "--change", "2")
        by_commit = self.gather(here, tmp_path / "two", *merges, "--change", here.oids[2][:10])
        assert [listed.change.number for listed in by_number.changes] == [2]
        assert by_commit.changes == by_number.changes
        with pytest.raises(InputError, match="no commit of the period is 77"):
            self.gather(here, tmp_path / "three", *merges, "--change", "77")

    def test_a_sample_by_a_seed_on_record(self, here: Here, tmp_path: Path) -> None:
        period = ["--from", here.time(1, -3000), "--to", "2099-01-01T00:00:00Z"]
        said = here.run("seed", "soc2", *period).output
        assert said.startswith("Entry 2 holds the seed of soc2: ")
        assert here.run("seed", "soc2", *period).output.startswith("Entry 2 "), "the first one stands"
        here.run("export", str(tmp_path / "exported"))
        whose = ["--repository", "repo:team/shop", "--log-key", VKEY, "--merges", str(here.merges)]
        sample = ["--sample", "1", "--seed", "2", "--now", text_now()]
        asked = ["evidence", str(tmp_path / "exported"), *period, *whose]
        for out in ("a.zip", "b.zip"):
            here.run(*asked, *sample, "-o", str(tmp_path / out), code=1)
        assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
        with pytest.raises(InputError, match="a size and a seed"):
            here.run(*asked, "--sample", "1", "-o", "x")


def text_now() -> str:
    from datetime import UTC, datetime

    return text_of(datetime.now(UTC).replace(microsecond=0))


@pytest.mark.parametrize("where", ["database", "exported"])
def test_what_a_witness_remembers_is_held_against_the_ledger(here: Here, tmp_path: Path, where: str) -> None:
    """The keeper makes a new history with the key, after a witness saw the old one: only the witness can tell."""
    Repo.init(tmp_path / "memory")
    here.run("export", str(tmp_path / "before"))
    note = (tmp_path / "before/checkpoint").read_bytes()
    key = NoteSigningKey("witness.test/w", KeyKind.WITNESS, SoftwareKey("ed25519", b"W" * 32), lambda: SEEN_AT)
    log_key = NoteKey(ORIGIN, KeyKind.LOG, PublicKey("ed25519", KEY.public_key))
    state = TwoStates(FolderState(tmp_path / "state"), GitState(tmp_path / "memory"))
    assert Witness([key], {ORIGIN: [log_key]}, state).answer(Request(0, (), note).data).status == 200
    memories = (["--witness-state", str(tmp_path / "state")], ["--witness-git", str(tmp_path / "memory")])
    ledger_ = [] if where == "database" else [str(tmp_path / "before")]
    for memory in memories:
        said = here.run("verify", *ledger_, "--log-key", VKEY, *memory, "--quick").output
        assert "The first 2 entries were seen" in said
        assert "That is all of them" in said

    here.rewrite()
    here.run("export", str(tmp_path / "after"))
    ledger_ = [] if where == "database" else [str(tmp_path / "after")]
    assert "  verified" in here.run("verify", *ledger_, "--log-key", VKEY).output, "nothing inside can show it"
    known = ["--known", str(tmp_path / "before/checkpoint")]
    for memory in (*memories, known):
        here.run("verify", *ledger_, "--log-key", VKEY, *memory, "--quick", code=1)


class TestWitnessWithoutHost:
    """A job that fetches a ref, looks, and pushes it: nothing listens, and the ref is the only memory."""

    def look(self, tmp_path: Path, *more: str, code: int = 0) -> str:
        given = ["--origin", VKEY, "--state", str(tmp_path / "key"), "--name", "witness.test/job"]
        given += ["--git", str(tmp_path / "memory")]
        done = CliRunner().invoke(witness, [*given, *more], standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        assert done.return_value == code, done.output
        return done.output

    @pytest.mark.parametrize("where", ["database", "exported"])
    def test_it_cosigns_what_continues_and_verify_holds_a_ledger_against_it(
        self, here: Here, tmp_path: Path, where: str
    ) -> None:
        Repo.init(tmp_path / "memory")
        with pytest.raises(InputError, match="nothing is remembered"):
            self.look(tmp_path, "--once", here.shown(tmp_path, where, 1))
        said = self.look(tmp_path, "--once", here.shown(tmp_path, where, 1), "--first")
        assert "2 entries cosigned by witness.test/job, 0 were seen before" in said
        assert "git push REMOTE refs/tidegate/witness" in said
        here.run("erase", PERSON, "--yes")
        assert "3 entries cosigned" in self.look(tmp_path, "--once", here.shown(tmp_path, where, 2))
        assert "2 were seen" not in self.look(tmp_path, "--once", here.shown(tmp_path, where, 2))
        memory = ["--witness-git", str(tmp_path / "memory")]
        assert "The first 3 entries were seen" in here.run("verify", *memory).output
        here.rewrite()
        assert "  verified" in here.run("verify").output, "nothing inside can show it"
        here.run("verify", *memory, code=1)
        assert "not cosigned" in self.look(tmp_path, "--once", here.shown(tmp_path, where, 3), code=1)
        assert "not cosigned" in self.look(tmp_path, "--once", here.shown(tmp_path, where, 3), "--first", code=1)
        history = GitState(tmp_path / "memory").history(ORIGIN)
        assert [seen.size for seen in history] == [2, 3], "what was seen stays, with nothing put over it"
        assert [path.name for path in (tmp_path / "key").iterdir()] == ["witness.key"]

    def test_another_ledger_is_not_cosigned(self, here: Here, tmp_path: Path) -> None:
        Repo.init(tmp_path / "memory")
        other = NoteKey("ledger.other/x", KeyKind.LOG, PublicKey("ed25519", KEY.public_key)).vkey
        given = ["--origin", other, "--state", str(tmp_path / "key"), "--name", "witness.test/job", "--first"]
        done = CliRunner().invoke(
            witness, [*given, "--git", str(tmp_path / "memory"), "--once", here.url], standalone_mode=False
        )
        assert done.return_value == 1
        assert GitState(tmp_path / "memory").latest(ORIGIN) is None
