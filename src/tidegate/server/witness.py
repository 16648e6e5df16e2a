"""The door of a witness: HTTP on one side, a memory that never goes back on the other. It needs nothing of the service.

C2SP tlog-witness v1.0.0. A witness runs on a host that the keeper of the log does not administer; so it is made of the
standard library alone, speaks plain HTTP on loopback, and wants a proxy with https before it for everything else.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

from tidegate.change.git import checked_revision, open_repository
from tidegate.errors import InputError, TidegateError
from tidegate.ledger.audit import Sighting
from tidegate.ledger.checkpoint import Checkpoint, read_checkpoint
from tidegate.ledger.notes import NoteError
from tidegate.ledger.witness import MAX_REQUEST_BYTES, TEXT, Answer, Seen, State, Witness

REF = "refs/tidegate/witness"
SECONDS = 10.0
"""How long a connection may be silent."""
MOST_AT_ONCE = 64
MOST_SEEN_BYTES = 1 << 20


class GitState:
    """A witness's memory in a ref of a git repository: each step is a commit on the one before.

    Whoever fetches the ref has the whole history of what was seen. Objects and ref are synced before `replace` answers.
    """

    def __init__(self, repository: Path, ref: str = REF) -> None:
        self._path = repository
        self._ref = checked_revision(ref)
        if not ref.startswith("refs/"):
            raise InputError(f"{ref!r} is no full name of a ref", where="--ref", mend=f"such as {REF}")
        with open_repository(repository, bare=True):
            pass

    def latest(self, origin: str) -> Seen | None:
        return self._read(origin)[1]

    def replace(self, origin: str, before: Seen | None, after: Seen) -> bool:
        """`update-ref` compares the ref and sets it in one step, so of two that race one is told."""
        tip, seen = self._read(origin)
        if seen != before:
            return False
        if before is not None and after.size < before.size:
            raise InputError("a witness never goes back", where=origin)
        with open_repository(self._path, bare=True) as repository:

            def make(*arguments: str, data: bytes) -> str:
                made = repository.run("-c", "core.fsync=all", *arguments, stdin=data)
                return made.decode("ascii").strip()

            kept = repository.run("ls-tree", "-z", f"{tip}^{{tree}}") if tip else b""
            name = _name(origin).encode()
            others = [line for line in kept.split(b"\0") if line and not line.endswith(b"\t" + name)]
            blob = make("hash-object", "-w", "--stdin", data=msgspec.json.encode(after))
            tree = make("mktree", "-z", data=b"\0".join([*others, b"100644 blob %s\t%s" % (blob.encode(), name), b""]))
            commit = make("hash-object", "-t", "commit", "-w", "--stdin", data=_commit(tree, tip, origin, after))
            try:
                make("update-ref", self._ref, commit, tip or repository.null_oid, data=b"")
            except TidegateError:
                if repository.find(self._ref) == tip:
                    raise  # nobody else was faster: git itself could not
                return False
        return True

    def history(self, origin: str) -> list[Sighting]:
        """What was cosigned when, the oldest first."""
        with open_repository(self._path, bare=True) as repository:
            if not repository.exists(self._ref):
                return []
            commits = repository.run("rev-list", "--reverse", "--end-of-options", self._ref, "--").split()
            blobs = repository.read_blobs((f"{oid.decode()}:{_name(origin)}" for oid in commits), MOST_SEEN_BYTES)
            found = [_decoded(blob.content, origin) for blob in blobs if blob.kind == "blob"]
        return [Sighting(seen.time, seen.size, seen.root) for seen in dict.fromkeys(found)]

    def _read(self, origin: str) -> tuple[str, Seen | None]:
        with open_repository(self._path, bare=True) as repository:
            tip = repository.find(self._ref)
            if not tip:
                return "", None
            (blob,) = repository.read_blobs([f"{tip}:{_name(origin)}"], MOST_SEEN_BYTES)
        if blob.kind == "missing":
            return tip, None
        return tip, _decoded(blob.content if blob.kind == "blob" else b"", origin)


class TwoStates:
    """Two memories: the longer one counts, so that putting one of them back helps nobody.

    After a crash between the two they may differ by the last step, which nobody was answered for.
    """

    def __init__(self, first: State, second: State) -> None:
        self._first = first
        self._second = second

    def latest(self, origin: str) -> Seen | None:
        first, second = self._first.latest(origin), self._second.latest(origin)
        if first is None or second is None:
            return first or second
        if first.size == second.size and first.root != second.root:
            raise InputError("the witness's two memories contradict each other", where=origin, mend="find out why")
        return first if first.size >= second.size else second

    def replace(self, origin: str, before: Seen | None, after: Seen) -> bool:
        """The first one settles who is first; the second one follows before anybody is answered."""
        first = self._first.latest(origin)
        if self.latest(origin) != before or not self._first.replace(origin, first, after):
            return False
        for _ in range(_TRIES):
            second = self._second.latest(origin)
            if second is not None and second.size >= after.size and second.root != after.root:
                return False
            if second == after or self._second.replace(origin, second, after):
                return True
        return False


class _History(Protocol):
    def history(self, origin: str) -> list[Sighting]: ...


def sightings_of(states: Sequence[_History], origin: str) -> list[Sighting]:
    """What these witnesses remember of a log, for an audit of it."""
    return sorted({each for state in states for each in state.history(origin)}, key=lambda each: (each.size, each.time))


def make_server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """The door, open and not yet served; `serve_forever` serves it. InputError where nobody can listen there."""
    handler = type("_Handler", (_Handler,), {"witness": witness, "room": threading.BoundedSemaphore(MOST_AT_ONCE)})
    try:
        server = _Server((host, port), handler)
    except OSError as error:
        raise InputError(
            f"nobody can listen there ({error.strerror})", where=f"{host}:{port}", mend="name another --listen"
        ) from error
    return server


# Private

_TRIES = 5


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = MOST_AT_ONCE


class _Handler(BaseHTTPRequestHandler):
    """`POST /add-checkpoint`, and `GET /checkpoint/HASH` for monitors; `GET /health` for who keeps it running."""

    protocol_version = "HTTP/1.1"
    server_version = "tidegate-witness"
    sys_version = ""
    timeout = SECONDS
    witness: ClassVar[Witness]
    room: ClassVar[threading.BoundedSemaphore]

    def do_POST(self) -> None:
        if self.path.partition("?")[0] != "/add-checkpoint":
            self._send(Answer(404, b"there is nothing here\n"), ends=True)
            return
        length = self.headers.get("content-length", "")
        if not re.fullmatch(r"[0-9]{1,9}", length, re.ASCII) or "transfer-encoding" in self.headers:
            self._send(Answer(411, b"say the length\n"), ends=True)
            return
        if int(length) > MAX_REQUEST_BYTES:
            self._send(Answer(413, b"the request is too long\n"), ends=True)
            return
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.close_connection = True
            return
        self._send(self._answered(body))

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/health":
            self._send(Answer(200, b"alive\n"))
            return
        match = re.fullmatch(r"/(?:checkpoint/([0-9a-f]{64})|([0-9a-f]{64})/checkpoint)", path, re.ASCII)
        try:
            found = self.witness.checkpoint(match[1] or match[2]) if match else Answer(404, b"there is nothing here\n")
        except TidegateError:
            found = _BROKEN
        self._send(found)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: what was cosigned stands in the history."""

    def _answered(self, body: bytes) -> Answer:
        if not self.room.acquire(timeout=SECONDS):
            return Answer(503, b"too many ask at once\n")
        try:
            return self.witness.answer(body)
        except (TidegateError, OSError):
            return _BROKEN  # what cannot be remembered is not cosigned
        finally:
            self.room.release()

    def _send(self, answer: Answer, *, ends: bool = False) -> None:
        self.send_response(answer.status, HTTPStatus(answer.status).phrase)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if ends:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(answer.body)


_BROKEN = Answer(500, b"the witness cannot remember, and cosigns nothing until a person has looked\n", TEXT)


def _name(origin: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest()


def _decoded(content: bytes, origin: str) -> Seen:
    try:
        seen = msgspec.json.decode(content, type=Seen)
        checkpoint = read_checkpoint(seen.note)
    except (msgspec.DecodeError, NoteError) as error:
        raise InputError("the witness's memory is damaged", where=origin, mend="find out why") from error
    if checkpoint != Checkpoint(origin, seen.size, seen.root):
        raise InputError("the witness's memory contradicts itself", where=origin, mend="find out why")
    return seen


def _commit(tree: str, parent: str, origin: str, seen: Seen) -> bytes:
    who = f"tidegate witness <witness@localhost> {seen.time} +0000"
    before = f"parent {parent}\n" if parent else ""
    said = f"{origin} at {seen.size}".encode("utf-8", "replace").decode()
    return f"tree {tree}\n{before}author {who}\ncommitter {who}\n\n{said}\n".encode()
