"""A generated repository whose every commit carries a clean note, and the ways to spoil one."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from tests.repos import Repo
from tidegate.provenance.gitai import human_key, prompt_key, session_key
from tidegate.provenance.values import Entry, Note, NoteFile, Session

PEOPLE = ("Alice Smith <alice@example.com>", "Bob Jones <bob@example.com>", "Zoë Ødegård <zoe@example.com>")
TOOLS = (("claude", "claude-opus-4-6"), ("codex", "gpt-5.6"), ("cursor", "default"))
PATHS = ("src/a.py", "src/with space.py", "docs/ünï.md", "lib/deep/er/b.rs", "README.md")
START = 1_770_000_000


@dataclass
class Made:
    """One commit: which lines of which file it added, and its clean note."""

    oid: str
    parent: str
    path: bytes
    first: int
    last: int
    note: Note
    by_agent: bool


@dataclass
class Corpus:
    repo: Repo
    made: list[Made] = field(default_factory=list)


def make_corpus(path: Path, commits: int, *, object_format: str = "sha1") -> Corpus:
    """`commits` commits, each adding a run of unique lines somewhere in one of a few files; the same on every run."""
    rng = random.Random(7)
    corpus = Corpus(Repo.init(path, object_format=object_format))
    files: dict[str, list[str]] = {name: [] for name in PATHS}
    stream, plans = [], []
    for number in range(commits):
        name = rng.choice(PATHS)
        lines = files[name]
        at, count = rng.randint(0, len(lines)), rng.randint(4, 12)
        lines[at:at] = [f"line {number} {i}" for i in range(count)]
        by_agent = number % 10 == 9
        plans.append((name, at + 1, at + count, by_agent))
        stream.append(_commit(number, name, "\n".join(lines) + "\n", by_agent=by_agent))
    marks = path / ".git" / "marks"
    subprocess.run(
        ["git", "fast-import", "--quiet", f"--export-marks={marks}"], cwd=path, input=b"".join(stream), check=True
    )
    oids = dict(line.split(" ") for line in marks.read_text().splitlines())
    parent = ""
    for number, (name, first, last, by_agent) in enumerate(plans):
        oid = oids[f":{number + 1}"]
        note = clean_note(rng, oid, name.encode(), first, last, by_agent=by_agent)
        corpus.made.append(Made(oid, parent, name.encode(), first, last, note, by_agent))
        parent = oid
    return corpus


def clean_note(rng: random.Random, oid: str, path: bytes, first: int, last: int, *, by_agent: bool) -> Note:
    """A note as tools of several years wrote them, that says nothing but what the commit did."""
    tool, model = rng.choice(TOOLS)
    conversation, person = f"conversation-{rng.randrange(40)}", rng.choice(PEOPLE)
    middle = rng.randint(first, last - 1)
    ranges = tuple(_cut(rng, first, middle))
    if rng.random() < 0.3:
        totals = (last - first + 3, 1, middle - first + 1 + rng.randrange(3), 0)
        session = Session(prompt_key(tool, conversation), "prompt", tool, conversation, model, person, totals=totals)
        key = session.key
    else:
        session = Session(session_key(tool, conversation), "session", tool, conversation, model, person)
        key = f"{session.key}::t_{rng.randrange(16**14):014x}"
    sessions, entries = [session], [Entry(key, ranges)]
    if not by_agent and rng.random() < 0.5:
        human = Session(human_key(person), "human", "", "", "", person)
        sessions.append(human)
        entries.append(Entry(human.key, ((middle + 1, last),)))
    return Note((NoteFile(path, tuple(entries)),), "authorship/3.0.0", "1.6.24", oid, tuple(sessions))


def _cut(rng: random.Random, first: int, last: int) -> Iterator[tuple[int, int]]:
    """A run of lines as one range or as several, sometimes out of order, as a rebase leaves them."""
    if last - first < 2 or rng.random() < 0.5:
        yield first, last
        return
    middle = rng.randint(first, last - 1)
    parts = [(first, middle), (middle + 1, last)]
    yield from parts if rng.random() < 0.5 else reversed(parts)


def _commit(number: int, path: str, content: str, *, by_agent: bool) -> bytes:
    author = b"devin-ai-integration[bot] <158243242+devin-ai-integration[bot]@users.noreply.github.com>"
    who = author if by_agent else PEOPLE[number % len(PEOPLE)].encode()
    message = f"Change {number}\n\nCo-authored-by: Claude <noreply@anthropic.com>\n".encode()
    data = content.encode()
    date = START + 3600 * number
    return b"".join(
        (
            b"commit refs/heads/main\nmark :%d\n" % (number + 1),
            b"author %s %d +0000\ncommitter %s %d +0000\n" % (who, date, PEOPLE[0].encode(), date),
            b"data %d\n%s\n" % (len(message), message),
            b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data),
        )
    )


def with_entries(note: Note, entries: tuple[Entry, ...], path: bytes | None = None) -> Note:
    return replace(note, files=(NoteFile(path or note.files[0].path, entries),))


def strip_trailer(repo: Repo, oid: str) -> str:
    """The same commit with its trailers taken out of the message, as an amend makes it."""
    raw = subprocess.run(["git", "cat-file", "commit", oid], cwd=repo.path, capture_output=True, check=True).stdout
    head, _, message = raw.partition(b"\n\n")
    stripped = head + b"\n\n" + message.partition(b"\n")[0] + b"\n"
    return repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=stripped)
