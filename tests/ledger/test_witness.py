"""A witness: what tlog-witness v1.0.0 prescribes, what it remembers, and how a log asks it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.logs import ORIGIN, Clock, MemoryLog, Witnesses, seeded_key
from tidegate.errors import InputError
from tidegate.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from tidegate.ledger.keys import KeyKind, cosignature_time
from tidegate.ledger.merkle import EMPTY_ROOT
from tidegate.ledger.notes import NoteError, parse_signatures
from tidegate.ledger.witness import Answer, Request, Seen, Witness, parse_request
from tidegate.ledger.witness_client import Refusal, ask_witness, combine
from tidegate.ledger.witness_state import FolderState, write_durably


class World:
    def __init__(self, folder: Path, kinds: tuple[KeyKind, ...] = (KeyKind.WITNESS,)) -> None:
        self.clock = Clock()
        self.log = MemoryLog()
        self.log.append(*(b"entry %d" % number for number in range(5)))
        self.all = Witnesses(folder, self.log, kinds, self.clock)
        self.witness = self.all.witnesses[0]
        self.state = self.all.states[0]

    def request(self, old: int, new: int, log: MemoryLog | None = None) -> bytes:
        log = log or self.log
        proof = log.prove(old, new) if 0 < old < new else ()
        return Request(old, proof, log.note(new)).data

    def seen(self) -> int:
        latest = self.state.latest(ORIGIN)
        return latest.size if latest else -1


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_it_cosigns_a_log_that_grows(world: World) -> None:
    for old, new in [(0, 0), (0, 2), (2, 2), (2, 5)]:
        answer = world.witness.answer(world.request(old, new))
        assert answer.status == 200
        (line,) = parse_signatures(answer.body)
        assert line.name == "witness.example/w0"
        assert cosignature_time(line.signature) == world.clock.time
        cosigned = world.log.note(new) + answer.body
        assert len(open_checkpoint(cosigned, ORIGIN, [world.log.key.public], world.all.keys).signatures) == 2
        assert world.seen() == new


def test_each_wrong_request_has_the_status_that_the_specification_gives_it(world: World) -> None:
    log = world.log
    assert world.witness.answer(world.request(0, 3)).status == 200
    stranger = MemoryLog(seeded_key("stranger.example"), "stranger.example")
    impostor = MemoryLog(seeded_key(ORIGIN + "x"))
    impostor.key = seeded_key("impostor")
    forked = log.copy(2)
    forked.append(b"other", b"other", b"other")
    five = log.note(5)
    broken = five[:-3] + b"AA\n" if not five.endswith(b"AA\n") else five[:-3] + b"BA\n"
    empty = sign_checkpoint(Checkpoint(ORIGIN, 0, b"x" * 32), [log.key])
    for request, status in [
        (b"", 400),
        (b"old 3\n\n", 400),
        (b"old 3\n" + b"AAAA\n" + b"\n" + five, 400),
        (Request(3, (), five[:-1]).data, 400),
        (Request(3, (EMPTY_ROOT,) * 64, five).data, 400),
        (Request(6, (), five).data, 400),
        (Request(0, (), sign_checkpoint(Checkpoint("unknown.example", 5, log.root()), [log.key])).data, 404),
        (world.request(0, 0, stranger), 404),
        (Request(3, log.prove(3, 5), sign_checkpoint(log.checkpoint(), [seeded_key("impostor")])).data, 403),
        (Request(3, log.prove(3, 5), broken).data, 403),
        (world.request(0, 5), 409),
        (world.request(2, 5), 409),
        (world.request(4, 5), 409),
        (Request(3, (), five).data, 422),
        (Request(3, log.prove(2, 5), five).data, 422),
        (world.request(3, 5, forked), 422),
        (Request(3, (), forked.note(3)).data, 422),
    ]:
        answer = world.witness.answer(request)
        assert answer.status == status, request[:60]
        if status == 409:
            assert (answer.body, answer.media_type) == (b"3\n", "text/x.tlog.size")
        assert world.seen() == 3
    fresh = World(world.state._folder / "fresh")
    assert fresh.witness.answer(Request(0, (), empty).data).status == 422
    assert fresh.witness.answer(Request(0, (EMPTY_ROOT,), five).data).status == 422
    assert fresh.seen() == -1


def test_a_fork_is_never_cosigned_whatever_the_log_tries(world: World) -> None:
    world.witness.answer(world.request(0, 4))
    forked = world.log.copy(3)
    forked.append(*(b"other %d" % number for number in range(20)))
    for old in range(6):
        for new in range(24):
            for proof in [(), *([forked.prove(old, new)] if 0 < old < new <= forked.size else [])]:
                answer = world.witness.answer(Request(old, proof, forked.note(new)).data)
                assert answer.status in (400, 409, 422)
    assert world.seen() == 4


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    witness = Witness([seeded_key("w", KeyKind.WITNESS)], {}, FolderState(tmp_path_factory.getbasetemp() / "none"))
    assert witness.answer(data).status in (400, 404)


def test_a_changed_byte_is_never_cosigned(world: World) -> None:
    request = world.request(0, 5)
    for at in range(len(request)):
        changed = bytearray(request)
        changed[at] ^= 1
        assert world.witness.answer(bytes(changed)).status in (400, 403, 404, 409, 422)
    assert world.seen() == -1


def test_two_requests_at_once_leave_one_story(world: World) -> None:
    """The race of the specification: whatever wins, the size never goes back."""
    world.witness.answer(world.request(0, 1))
    answers: list[int] = []
    sizes: list[int] = []

    def ask(new: int) -> None:
        answers.append(world.witness.answer(world.request(1, new)).status)
        sizes.append(world.seen())

    threads = [threading.Thread(target=ask, args=(new,)) for new in (2, 3, 4, 5) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(200) == 1
    assert set(answers) == {200, 409}
    assert len(set(sizes) - {1}) <= 1


def test_what_it_saw_survives_it(world: World, tmp_path: Path) -> None:
    world.witness.answer(world.request(0, 3))
    again = Witness(
        [seeded_key("other", KeyKind.WITNESS)], {ORIGIN: [world.log.key.public]}, FolderState(tmp_path / "0")
    )
    assert again.answer(world.request(0, 5)).status == 409
    assert again.answer(world.request(3, 5)).status == 200


def test_a_witness_with_a_damaged_memory_cosigns_nothing(world: World) -> None:
    world.witness.answer(world.request(0, 3))
    path = world.state._path(ORIGIN)
    whole = path.read_bytes()
    for damaged in (b"", whole[:-5], whole.replace(b'"size":3', b'"size":2'), b"{}"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="memory"):
            world.witness.answer(world.request(3, 5))
    path.write_bytes(whole)
    assert world.witness.answer(world.request(3, 5)).status == 200


def test_memory_never_goes_back(tmp_path: Path) -> None:
    state = FolderState(tmp_path)
    log = MemoryLog()
    log.append(b"1", b"2")
    first, second = (Seen(size, log.root(size), log.note(size), 1) for size in (2, 1))
    assert state.replace(ORIGIN, None, first)
    assert not state.replace(ORIGIN, None, second)
    with pytest.raises(InputError, match="never goes back"):
        state.replace(ORIGIN, first, second)
    assert state.latest(ORIGIN) == first


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"one", b"two", b""):
        write_durably(path, data)
        assert path.read_bytes() == data
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_its_history_says_what_was_there_when(world: World) -> None:
    for step, (old, new) in enumerate([(0, 1), (1, 2), (2, 3), (3, 4)]):
        world.clock.time = Clock().time + step * 40
        world.witness.answer(world.request(old, new))
    start = Clock().time
    history = [(sighting.time - start, sighting.size) for sighting in world.state.history(ORIGIN)]
    assert history == [(0, 1), (40, 2), (80, 3), (120, 4)]
    assert world.state.history("unknown") == []
    with world.state._path(ORIGIN).with_suffix(".history").open("ab") as file:
        file.write(b'\n{"time": 12')
    world.clock.time += 100
    world.witness.answer(world.request(4, 5))
    assert [sighting.size for sighting in world.state.history(ORIGIN)] == [1, 2, 3, 4, 5, 5]


def test_a_busy_minute_is_one_line_of_history(world: World) -> None:
    for size in range(6):
        world.clock.time += 1
        world.witness.answer(world.request(max(0, size - 1), size))
    assert [sighting.size for sighting in world.state.history(ORIGIN)] == [0, 5]


def test_monitors_get_the_latest_cosigned_checkpoint(world: World) -> None:
    name = sha256(ORIGIN.encode()).hexdigest()
    assert world.witness.checkpoint(name).status == 404
    world.witness.answer(world.request(0, 3))
    opened = open_checkpoint(world.witness.checkpoint(name).body, ORIGIN, [world.log.key.public], world.all.keys)
    assert (opened.checkpoint.size, len(opened.signatures)) == (3, 2)
    assert world.witness.checkpoint("../" + name).status == 404


def test_a_witness_has_keys_for_cosigning_only(tmp_path: Path) -> None:
    for keys in ([], [seeded_key("log")]):
        with pytest.raises(InputError):
            Witness(keys, {}, FolderState(tmp_path))


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.binary(max_size=99))
def test_a_request_is_read_as_it_was_written(old: int, proof: list[bytes], checkpoint: bytes) -> None:
    request = Request(old, tuple(proof), checkpoint)
    assert parse_request(request.data) == request


# How a log asks


def test_a_log_asks_all_its_witnesses_and_needs_some(tmp_path: Path) -> None:
    world = World(tmp_path, (KeyKind.WITNESS, KeyKind.WITNESS, KeyKind.WITNESS_ML_DSA))
    cosigned = world.all.cosign(world.log, 3)
    assert cosigned.witnesses == ("witness.example/w0", "witness.example/w1", "witness.example/w2")
    assert not cosigned.refusals
    world.log.append(b"more")
    asked = ask(world, down={0, 1})
    assert [answer.trouble for answer in asked if isinstance(answer, Refusal)] == ["unreachable", "unreachable"]
    note, keys = world.log.note(), [world.log.key.public]
    assert combine(note, ORIGIN, keys, world.all.quorum(1), asked).witnesses == ("witness.example/w2",)
    with pytest.raises(NoteError, match="1 trusted witnesses cosigned, and 2 must"):
        combine(note, ORIGIN, keys, world.all.quorum(2), asked)


def ask(world: World, down: set[int] | None = None) -> list[object]:
    def post(url: str, body: bytes) -> Answer:
        if int(url.split("/")[3]) in (down or set()):
            raise ConnectionRefusedError
        return world.all.post(url, body)

    return [ask_witness(world.log.note(), remote, 0, world.log.prove, post) for remote in world.all.remotes]


def test_a_witness_that_saw_more_or_something_else_raises_the_alarm(tmp_path: Path) -> None:
    """One contradicting witness outweighs those that see one side of a fork only."""
    world = World(tmp_path, (KeyKind.WITNESS, KeyKind.WITNESS))
    ask(world, down={0})
    back = world.log.copy(3)
    forked = world.log.copy(3)
    forked.append(*(b"other %d" % number for number in range(9)))
    for log, trouble in [(back, "ahead"), (forked, "forked")]:
        world.log = log
        asked = ask(world)
        assert [answer.trouble for answer in asked if isinstance(answer, Refusal)] == [trouble]
        with pytest.raises(NoteError, match="contradicts"):
            combine(log.note(), ORIGIN, [log.key.public], world.all.quorum(1), asked)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (lambda note: Answer(200, b""), "cannot be read"),
        (lambda note: Answer(200, b"rubbish\n"), "cannot be read"),
        (lambda note: Answer(200, seeded_line("stranger", note)), "cannot be read"),
        (
            lambda note: Answer(200, seeded_line("witness.example/w0", note.replace(b"\n5\n", b"\n6\n"))),
            "cannot be read",
        ),
        (lambda note: Answer(409, b"rubbish"), "cannot be read"),
        (lambda note: Answer(409, b"0\n"), "409"),
        (lambda note: Answer(500, b"\xff" * 9999), "500"),
    ],
)
def test_answers_that_are_no_cosignature(world: World, reply: Callable[[bytes], Answer], why: str) -> None:
    note = world.log.note()
    answer = ask_witness(note, world.all.remotes[0], 0, world.log.prove, lambda url, body: reply(note))
    assert isinstance(answer, Refusal)
    assert answer.trouble == "refused"
    assert why in str(answer)
    assert len(str(answer)) < 500


def seeded_line(name: str, note: bytes) -> bytes:
    from tidegate.ledger.notes import NoteSignature, parse_note

    key = seeded_key(name, KeyKind.WITNESS)
    return NoteSignature(name, key.key_id, key.sign(parse_note(note).text)).line
