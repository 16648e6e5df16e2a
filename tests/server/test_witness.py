"""A witness behind its door: never two histories, whoever asks at once and whenever it is killed."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from tests.ledger.logs import Clock, MemoryLog, seeded_key
from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.ledger.checkpoint import open_checkpoint
from tidegate.ledger.keys import KeyKind
from tidegate.ledger.witness import Request, Seen, State, Witness
from tidegate.ledger.witness_state import FolderState
from tidegate.server.witness import REF, GitState, TwoStates, make_server, sightings_of

CLOCK = Clock()
LOG_KEY = seeded_key("log.example/one", KeyKind.LOG, CLOCK)
WITNESS_KEY = seeded_key("witness.example/w", KeyKind.WITNESS, CLOCK)


def grown(entries: int, *, other: bool = False) -> MemoryLog:
    log = MemoryLog(LOG_KEY, LOG_KEY.name)
    log.append(*(f"entry {number}{' changed' if other and number == 0 else ''}".encode() for number in range(entries)))
    return log


def request_of(log: MemoryLog, old: int, new: int) -> bytes:
    return Request(old, log.prove(old, new) if old else (), log.note(new)).data


def states(kind: str, folder: Path) -> State:
    if kind == "folder":
        return FolderState(folder / "state")
    Repo.init(folder / "repository")
    git = GitState(folder / "repository" / ".git")
    return git if kind == "git" else TwoStates(FolderState(folder / "state"), git)


KINDS = pytest.mark.parametrize("kind", ["folder", "git", "both"])


def watching(state: State) -> Witness:
    return Witness([WITNESS_KEY], {LOG_KEY.name: [LOG_KEY.public]}, state)


@contextmanager
def served(witness: Witness) -> Iterator[int]:
    server = make_server(witness, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read(), response.headers["content-type"]
    finally:
        connection.close()


@KINDS
def test_it_cosigns_what_continues_and_remembers_it_for_ever(kind: str, tmp_path: Path) -> None:
    log, state = grown(9), states(kind, tmp_path)
    witness = watching(state)
    assert witness.answer(request_of(log, 0, 4)).status == 200
    assert witness.answer(request_of(log, 4, 9)).status == 200
    assert witness.answer(request_of(log, 4, 9)).status == 409
    assert watching(state).answer(request_of(grown(9, other=True), 9, 9)).status == 422
    assert watching(state).answer(request_of(grown(12, other=True), 9, 12)).status == 422
    seen = state.latest(LOG_KEY.name)
    assert seen is not None
    assert (seen.size, seen.root) == (9, log.root(9))
    checkpoint = open_checkpoint(seen.note, LOG_KEY.name, [LOG_KEY.public], [WITNESS_KEY.public])
    assert len(checkpoint.signatures) == 2


@KINDS
def test_of_many_at_once_one_history_is_cosigned(kind: str, tmp_path: Path) -> None:
    """Two histories that part after the first entries, asked for by eight at once."""
    ours, theirs, state = grown(12), grown(12, other=True), states(kind, tmp_path)
    witness = watching(state)
    asked = [request_of(log, 0, size) for log in (ours, theirs) for size in (3, 5, 8, 12)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(witness.answer, asked))
    cosigned = [at for at, answer in enumerate(answers) if answer.status == 200]
    assert len(cosigned) == 1
    assert {answer.status for answer in answers} <= {200, 409}
    seen = state.latest(LOG_KEY.name)
    assert seen is not None
    assert seen.root == (ours if cosigned[0] < 4 else theirs).root(seen.size)


def test_the_git_ref_is_a_chain_of_what_was_seen(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("work", {"a": "1\n"})
    log, state = grown(9), GitState(tmp_path)
    for old, new in ((0, 2), (2, 5), (5, 9)):
        assert watching(state).answer(request_of(log, old, new)).status == 200
    assert [sighting.size for sighting in state.history(LOG_KEY.name)] == [2, 5, 9]
    assert repo.git("rev-list", "--count", REF) == "3"
    assert repo.git("log", "-1", "--format=%s", REF) == "log.example/one at 9"
    assert repo.git("fsck", "--strict") == ""
    assert [sighting.size for sighting in sightings_of([state], LOG_KEY.name)] == [2, 5, 9]
    assert state.history("log.example/another") == []


def test_two_logs_share_a_ref(tmp_path: Path) -> None:
    Repo.init(tmp_path)
    state = GitState(tmp_path)
    for origin in ("log.example/a", "log.example/b"):
        key = seeded_key(origin, KeyKind.LOG, CLOCK)
        log = MemoryLog(key, origin)
        log.append(b"one")
        assert Witness([WITNESS_KEY], {origin: [key.public]}, state).answer(request_of(log, 0, 1)).status == 200
    assert [state.latest(origin) is not None for origin in ("log.example/a", "log.example/b")] == [True, True]


def test_a_lost_race_for_the_ref_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    Repo.init(tmp_path)
    log, state = grown(6), GitState(tmp_path)
    assert watching(state).answer(request_of(log, 0, 3)).status == 200
    before = state.latest(LOG_KEY.name)
    assert before is not None
    after = Seen(6, log.root(6), log.note(6), 5)
    assert not state.replace(LOG_KEY.name, None, after)
    assert state.latest(LOG_KEY.name) == before
    with pytest.raises(InputError, match="never goes back"):
        state.replace(LOG_KEY.name, before, Seen(1, log.root(1), log.note(1), 5))


@pytest.mark.parametrize("put_back", ["folder", "git"])
def test_of_two_memories_putting_one_back_helps_nobody(put_back: str, tmp_path: Path) -> None:
    log, other = grown(9), grown(9, other=True)
    state = states("both", tmp_path)
    assert watching(state).answer(request_of(log, 0, 3)).status == 200
    with open_repository(tmp_path / "repository") as repository:
        tip = repository.resolve(REF)
    file = tmp_path / "state" / sha256(LOG_KEY.name.encode()).hexdigest()
    data = file.read_bytes()
    assert watching(state).answer(request_of(log, 3, 6)).status == 200
    if put_back == "git":
        with open_repository(tmp_path / "repository") as repository:
            repository.run("update-ref", REF, tip)
    else:
        file.write_bytes(data)
    assert watching(state).answer(request_of(other, 3, 9)).status == 409
    assert watching(state).answer(request_of(log, 6, 9)).status == 200
    assert state.latest(LOG_KEY.name) == GitState(tmp_path / "repository" / ".git").latest(LOG_KEY.name)


def test_two_memories_that_contradict_each_other_cosign_nothing(tmp_path: Path) -> None:
    Repo.init(tmp_path / "repository")
    git, folder = GitState(tmp_path / "repository" / ".git"), FolderState(tmp_path / "state")
    assert watching(git).answer(request_of(grown(4), 0, 4)).status == 200
    assert watching(folder).answer(request_of(grown(4, other=True), 0, 4)).status == 200
    with served(watching(TwoStates(folder, git))) as port:
        status, body, _ = ask(port, "POST", "/add-checkpoint", request_of(grown(6), 4, 6))
    assert (status, b"cosigns nothing" in body) == (500, True)


class TestDoor:
    @pytest.fixture
    def port(self, tmp_path: Path) -> Iterator[int]:
        with served(watching(FolderState(tmp_path))) as port:
            yield port

    def test_it_speaks_as_the_specification_says(self, port: int) -> None:
        log = grown(7)
        assert ask(port, "POST", "/add-checkpoint", request_of(log, 0, 5))[0] == 200
        assert ask(port, "POST", "/add-checkpoint", request_of(log, 0, 7)) == (409, b"5\n", "text/x.tlog.size")
        assert ask(port, "POST", "/add-checkpoint", b"nonsense")[0] == 400
        name = sha256(LOG_KEY.name.encode()).hexdigest()
        status, note, _ = ask(port, "GET", f"/checkpoint/{name}")
        assert status == 200
        assert open_checkpoint(note, LOG_KEY.name, [LOG_KEY.public], [WITNESS_KEY.public]).checkpoint.size == 5
        assert ask(port, "GET", f"/{name}/checkpoint")[1] == note
        assert ask(port, "GET", "/health")[0] == 200
        assert ask(port, "GET", "/checkpoint/" + "0" * 64)[0] == 404

    @pytest.mark.parametrize(
        ("path", "headers", "status"),
        [
            ("/elsewhere", {}, 404),
            ("/add-checkpoint", {"Content-Length": "99999999"}, 413),
            ("/add-checkpoint", {"Content-Length": "-1"}, 411),
            ("/add-checkpoint", {"Content-Length": "1", "Transfer-Encoding": "chunked"}, 411),
        ],
    )
    def test_what_does_not_belong_there_is_refused_unread(
        self, port: int, path: str, headers: dict[str, str], status: int
    ) -> None:
        assert ask(port, "POST", path, b"x", **headers)[0] == status
        assert ask(port, "GET", "/health")[0] == 200

    def test_a_taken_port_is_said(self, port: int, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="nobody can listen"):
            make_server(watching(FolderState(tmp_path / "other")), "127.0.0.1", port)


@pytest.mark.parametrize("git", [False, True])
def test_the_command_survives_being_killed_and_forgets_nothing(git: bool, tmp_path: Path) -> None:
    """Killed after each answer, and while it answers: what it cosigned, it never contradicts."""
    if git:
        Repo.init(tmp_path / "repository")
    command = [
        sys.executable,
        "-c",
        "from tidegate.cli.main import main; main()",
        "witness",
        "--origin",
        LOG_KEY.public.vkey,
        "--listen",
        "127.0.0.1:0",
    ]
    command += ["--state", str(tmp_path / "state"), "--name", "witness.example/w"]
    command += ["--git", str(tmp_path / "repository")] if git else []
    ours, theirs, old = grown(40), grown(40, other=True), 0
    for turn in range(4):
        with running(command) as (process, port):
            if old:
                assert ask(port, "POST", "/add-checkpoint", request_of(theirs, old, 40))[0] == 422
            size = old + 5
            assert ask(port, "POST", "/add-checkpoint", request_of(ours, old, size))[0] == 200
            killer = threading.Timer(0.005 * turn, process.kill)
            killer.start()
            try:
                cosigned = ask(port, "POST", "/add-checkpoint", request_of(ours, size, size + 1))[0] == 200
            except (OSError, http.client.HTTPException):
                cosigned = False
            killer.join()
        state: State = FolderState(tmp_path / "state")
        if git:
            state = TwoStates(state, GitState(tmp_path / "repository" / ".git"))
        seen = state.latest(LOG_KEY.name)
        assert seen is not None
        assert seen.size == size + 1 if cosigned else seen.size in (size, size + 1)
        assert seen.root == ours.root(seen.size)
        old = seen.size


@contextmanager
def running(command: list[str]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command, and the port that it listens on; killed in the end."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            said = process.stdout.readline()
            yield process, int(said.rpartition(":")[2].strip().strip('"'))
        finally:
            process.kill()
