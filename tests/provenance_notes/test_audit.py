"""The audit: a clean repository raises nothing, and every class of fault is found under its id, seed after seed."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.provenance_notes.corpus import Corpus, Made, make_corpus, strip_trailer, with_entries
from tests.repos import ALICE, Repo, build, note_text
from tidegate.change.git import Repository, open_repository
from tidegate.change.values import Person
from tidegate.provenance.audit import audit_notes, read_audits
from tidegate.provenance.faults import MOST_FINDINGS, SEVERITIES
from tidegate.provenance.gitai import human_key, metadata_key, render_note, session_key
from tidegate.provenance.notes import write_notes
from tidegate.provenance.values import Entry, Note, Session
from tidegate.settings import ProvenanceSettings, Settings

SEEDS = 60
NOW = "2026-05-01T12:00:00Z"
BOT = "Claude <noreply@anthropic.com>"

Spoil = Callable[[random.Random, Made, Corpus], "tuple[str, bytes]"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_corpus(tmp_path_factory.mktemp("corpus") / "repo", 300)


def test_clean_notes_raise_nothing(corpus: Corpus) -> None:
    notes = {made.oid: render_note(made.note) for made in corpus.made}
    with open_repository(corpus.repo.path) as repository:
        write_notes(repository, "refs/notes/ai", notes, Person("A", "a@example.com"), NOW, "Notes")
        audits = list(read_audits(repository, "refs/notes/ai", Settings()))
    assert len(audits) == 300
    assert [finding.message for audit in audits for finding in audit.findings] == []
    assert all(audit.clean for audit in audits)
    assert not any(claim.reason for audit in audits for claim in audit.claims)


# The nine classes, and what cannot be read. Each spoils a clean note in one of the ways that the class has.


def _range_edit(rng: random.Random, made: Made, _: Corpus) -> tuple[str, bytes]:
    note = made.note
    first, *rest = note.files[0].entries
    way = rng.randrange(3 if note.sessions[0].totals else 2)
    if way == 0:
        again = (made.first, made.first)
        return made.oid, render_note(with_entries(note, (replace(first, ranges=(*first.ranges, again)), *rest)))
    if way == 1:
        wrong = rng.choice([b"7-3", b"0-4", b"3-x", b"99999999999", b"-4"])
        return made.oid, render_note(note).replace(f" {_shown(first)}\n".encode(), b" %s\n" % wrong, 1)
    fewer = replace(note.sessions[0], totals=(9, 0, 0, 0))
    return made.oid, render_note(replace(note, sessions=(fewer, *note.sessions[1:])))


def _over_reach(rng: random.Random, made: Made, _: Corpus) -> tuple[str, bytes]:
    note = made.note
    entry = note.files[0].entries[-1]
    others = note.files[0].entries[:-1]
    start = max(last for _, last in entry.ranges)
    if rng.random() < 0.5:
        further = (max(start, made.last) + 1, max(start, made.last) + rng.randint(1, 10**6))
        return made.oid, render_note(with_entries(note, (*others, replace(entry, ranges=(*entry.ranges, further)))))
    return made.oid, render_note(with_entries(note, note.files[0].entries, rng.choice([b"no/such.py", b"LICENSE"])))


def _orphan_key(rng: random.Random, made: Made, _: Corpus) -> tuple[str, bytes]:
    if rng.random() < 0.5:
        return made.oid, render_note(replace(made.note, sessions=made.note.sessions[1:]))
    entry, *rest = made.note.files[0].entries
    key = rng.choice(["human", "ai_agent", "deadbeef", "s_00000000000000::t_00000000000000", "h_00000000000000"])
    return made.oid, render_note(with_entries(made.note, (replace(entry, key=key), *rest)))


def _id_mismatch(rng: random.Random, made: Made, _: Corpus) -> tuple[str, bytes]:
    session, *rest = made.note.sessions
    wrong = rng.choice(
        [
            replace(session, tool=session.tool + "x"),
            replace(session, id=f"conversation-{rng.randrange(50, 99)}"),
            replace(session, id=""),
            replace(session, tool=""),
        ]
    )
    return made.oid, render_note(replace(made.note, sessions=(wrong, *rest)))


def _double_claim(rng: random.Random, made: Made, _: Corpus) -> tuple[str, bytes]:
    other = Session(session_key("amp", "T-1"), "session", "amp", "T-1", "m", ALICE)
    line = rng.randint(*_first_range(made.note))
    entries = [*made.note.files[0].entries]
    entries.insert(rng.randrange(2), Entry(f"{other.key}::t_1", ((line, line),)))
    note = with_entries(made.note, tuple(entries))
    return made.oid, render_note(replace(note, sessions=(*note.sessions, other)))


def _replayed(rng: random.Random, made: Made, corpus: Corpus) -> tuple[str, bytes]:
    others = [other for other in corpus.made[SEEDS:] if other.oid != made.oid]
    return made.oid, render_note(rng.choice(others).note)


def _stale_base(rng: random.Random, made: Made, corpus: Corpus) -> tuple[str, bytes]:
    wrong = rng.choice([f"{rng.randrange(16**40):040x}", "", "HEAD", made.parent or "0" * 40, corpus.made[-1].oid])
    return made.oid, render_note(replace(made.note, base_commit_sha=wrong))


def _stripped_trailer(_: random.Random, made: Made, corpus: Corpus) -> tuple[str, bytes]:
    oid = strip_trailer(corpus.repo, made.oid)
    return oid, render_note(replace(made.note, base_commit_sha=oid))


def _fake_human(rng: random.Random, made: Made, _: Corpus) -> tuple[str, bytes]:
    person = rng.choice(["Mallory <mallory@example.com>", BOT, ""])
    key = human_key(person) if person == BOT else "h_00000000000000"
    if made.by_agent:
        person, key = ALICE, human_key(ALICE)
    entry = Entry(key, ((made.last, made.last),))
    note = with_entries(made.note, (made.note.files[0].entries[0], entry))
    return made.oid, render_note(
        replace(note, sessions=(made.note.sessions[0], Session(key, "human", "", "", "", person)))
    )


def _unreadable(rng: random.Random, made: Made, _: Corpus) -> tuple[str, bytes]:
    text = render_note(made.note)
    cut = text.index(b"\n---\n")
    return made.oid, rng.choice([b"", text[:cut], text[: cut + 40], b"  orphan 1\n" + text, b"x\n  key\n" + text])


FAULTS: dict[str, Spoil] = {
    "note-double-claim": _double_claim,
    "note-fake-human": _fake_human,
    "note-id-mismatch": _id_mismatch,
    "note-orphan-key": _orphan_key,
    "note-over-reach": _over_reach,
    "note-range-edit": _range_edit,
    "note-replayed": _replayed,
    "note-stale-base": _stale_base,
    "note-stripped-trailer": _stripped_trailer,
    "note-unreadable": _unreadable,
}


def test_every_id_has_a_fault_here_and_a_page() -> None:
    assert set(FAULTS) == set(SEVERITIES)


@pytest.mark.parametrize("rule", FAULTS)
def test_every_seeded_fault_is_found(corpus: Corpus, rule: str) -> None:
    clean = {made.oid: render_note(made.note) for made in corpus.made}
    rng = random.Random(rule)
    # Every tenth commit's author is an agent: a person who claims lines there is a fault, a missing trailer is none.
    chosen = [made for made in corpus.made if not (made.by_agent and rule == "note-stripped-trailer")][:SEEDS]
    spoilt = [FAULTS[rule](rng, made, corpus) for made in chosen]
    with open_repository(corpus.repo.path) as repository:
        audit = audit_notes(repository, {**clean, **dict(spoilt)}.items(), Settings())
    missed = [text for oid, text in spoilt if rule not in {f.rule for f in audit.notes[oid].findings}]
    assert missed == []
    elsewhere = [oid for oid, found in audit.notes.items() if found.findings and oid not in dict(spoilt)]
    assert elsewhere == []
    for oid, _ in spoilt:
        if rule not in ("note-unreadable", "note-stripped-trailer", "note-range-edit"):
            assert any(claim.reason for claim in audit.notes[oid].claims), "a spoilt claim passed"


def test_no_note_stops_the_audit_or_makes_a_false_claim_pass(corpus: Corpus) -> None:
    rng = random.Random(11)
    notes = {}
    for made in corpus.made:
        text = bytearray(render_note(made.note))
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(text))
            text[at : at + rng.randrange(4)] = rng.choice(
                [b"", b"\n", b"0", b"9", b"-", b'"', b"\xff", b"s_", b"---\n", b"}"]
            )
        notes[made.oid] = bytes(text)
    with open_repository(corpus.repo.path) as repository:
        audit = audit_notes(repository, notes.items(), Settings())
    assert audit.notes.keys() == notes.keys()
    for made in corpus.made:
        for path, ranges in audit.clean_lines(made.oid).items():
            assert path == made.path
            assert all(made.first <= first <= last <= made.last for first, last in ranges)


def test_a_hostile_note_takes_no_longer_than_its_size_warrants(tmp_path: Path) -> None:
    commit = Repo.init(tmp_path).commit("Base", {"a.py": "".join(f"{n}\n" for n in range(40_000))})
    bad = {f"s_{n:014x}": {"agent_id": {"tool": "t", "id": str(n), "model": ""}} for n in range(20_000)}
    entries = "".join(f"  s_{n:014x}::t_1 {n + 1},{n + 2}\n" for n in range(20_000))
    text = f"a.py\n{entries}---\n" + json.dumps({"base_commit_sha": commit, "prompts": {}, "sessions": bad})
    begin = time.process_time()
    with open_repository(tmp_path) as repository:
        audit = audit_notes(repository, [(commit, text.encode())], Settings())
    assert time.process_time() - begin < 5
    counts = Counter(finding.rule for finding in audit.findings)
    assert counts == {"note-id-mismatch": MOST_FINDINGS, "note-double-claim": 1}
    assert f"{20_000 - MOST_FINDINGS} more in this note" in audit.findings[MOST_FINDINGS - 1].message
    assert audit.clean_lines(commit) == {}


def test_a_trailer_is_missed_where_the_settings_ask_for_one(tmp_path: Path) -> None:
    repo = build(
        tmp_path,
        """
        commit Silent
          file a.py
            a one
        commit Declared
          trailer Co-authored-by: Claude <noreply@anthropic.com>
          file b.py
            a two
        """,
    )
    required = Settings(provenance=ProvenanceSettings(trailers="require"))
    assert _rules(repo, required) == {repo.head("HEAD~1"): ["note-stripped-trailer"]}
    assert _rules(repo, Settings()) == {}


def test_claims_pass_line_by_line(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("Base", {"a.py": "1\n2\n3\n"})
    commit = repo.commit("Insert", {"a.py": "1\nnew\nnew2\n2\n3\n"})
    with open_repository(tmp_path) as repository:
        audit = audit_notes(repository, [(commit, note_text(commit, {"a.py": {"a": "1-4"}}).encode())], Settings())
    found = [(claim.first, claim.last, claim.reason) for claim in audit.notes[commit].claims]
    assert found == [
        (1, 1, "the commit did not add it"),
        (2, 3, ""),
        (4, 4, "the commit did not add it"),
    ]
    assert audit.clean_lines(commit) == {b"a.py": ((2, 3),)}
    assert [str(f.place) for f in audit.findings] == ["a.py:1"]


def test_a_merge_owns_only_lines_that_are_in_no_parent(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("Base", {"a.py": "1\n2\n3\n"})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("Side", {"a.py": "1\n2\n3\nside\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("Main", {"b.py": "main\n"})
    repo.git("merge", "-q", "--no-ff", "--no-commit", "side")
    merge = repo.commit("Merge", {"a.py": "1\n2\n3\nside\nby the merge\n"})
    assert repo.git("rev-list", "--parents", "-1", merge).count(" ") == 2
    text = note_text(merge, {"a.py": {"a": "4-5"}, "b.py": {"a": "1"}}).encode()
    with open_repository(tmp_path) as repository:
        audit = audit_notes(repository, [(merge, text)], Settings())
    assert audit.clean_lines(merge) == {b"a.py": ((5, 5),)}
    assert [str(f.place) for f in audit.findings] == ["a.py:4", "b.py:1"]


def test_a_note_from_before_versions_may_name_the_parent(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    parent = repo.commit("Base", {"a.py": "1\n"})
    commit = repo.commit("More", {"a.py": "1\n2\n"})
    old = note_text(parent, {"a.py": {"a": "2"}}).replace('  "git_ai_version": "1.6.24",\n', "")
    new = note_text(parent, {"a.py": {"a": "2"}})
    with open_repository(tmp_path) as repository:
        assert audit_notes(repository, [(commit, old.encode())], Settings()).findings == ()
        assert _ids(repository, commit, new) == ["note-stale-base"]


def test_a_note_of_a_commit_that_is_not_here_is_not_judged(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("Base", {"a.py": "1\n"})
    gone = "ab" * 20
    with open_repository(tmp_path) as repository:
        audit = audit_notes(repository, [(gone, note_text(gone, {"a.py": {"a": "1-9"}}).encode())], Settings())
    assert audit.findings == ()
    assert [u.reason for u in audit.unknowns] == [
        "the note of abababababab was not checked: its commit is not in this clone"
    ]
    assert audit.clean_lines(gone) == {}


def test_a_commit_whose_files_are_missing_stops_nothing(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    oids = [repo.commit(f"Change {n}", {f"{n}.py": f"unique {n}\n"}) for n in range(6)]
    for broken in (1, 4):
        blob = repo.git("rev-parse", f"{oids[broken]}:{broken}.py")
        (tmp_path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    notes = [(oid, note_text(oid, {f"{n}.py": {"a": "1"}}).encode()) for n, oid in enumerate(oids)]
    with open_repository(tmp_path) as repository:
        audit = audit_notes(repository, notes, Settings())
    unchecked = [n for n, oid in enumerate(oids) if audit.notes[oid].unchecked]
    assert unchecked == [1, 4]
    assert audit.findings == ()
    assert [n for n, oid in enumerate(oids) if audit.clean_lines(oid)] == [0, 2, 3, 5]


def test_a_note_that_is_missing_itself_stops_nothing(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    oids = [repo.commit(f"Change {n}", {f"{n}.py": f"unique {n}\n"}) for n in range(3)]
    for n, oid in enumerate(oids):
        repo.note(oid, note_text(oid, {f"{n}.py": {"a": "1"}}))
    blob = repo.git("notes", "--ref=ai", "list", oids[1])
    (tmp_path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with open_repository(tmp_path) as repository:
        audits = {audit.commit: audit for audit in read_audits(repository, "refs/notes/ai", Settings())}
    assert [audits[oid].unchecked for oid in oids] == ["", "the note itself is missing from this clone", ""]


def test_a_shallow_clone_says_what_it_cannot_check(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "origin")
    repo.commit("Base", {"a.py": "1\n"})
    middle = repo.commit("More", {"a.py": "1\n2\n"})
    last = repo.commit("Most", {"a.py": "1\n2\n3\n"})
    clone = Repo.init(tmp_path / "clone")
    clone.git("-c", "protocol.file.allow=always", "fetch", "-q", "--depth=2", f"file://{repo.path}", "main")
    notes = [(oid, note_text(oid, {"a.py": {"a": line}}).encode()) for oid, line in ((middle, "2"), (last, "3"))]
    with open_repository(clone.path) as repository:
        audit = audit_notes(repository, notes, Settings())
    assert audit.notes[middle].unchecked == "what its commit changed could not be read"
    assert audit.clean_lines(last) == {b"a.py": ((3, 3),)}


def _shown(entry: Entry) -> str:
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in sorted(entry.ranges))


def _first_range(note: Note) -> tuple[int, int]:
    entry = note.files[0].entries[0]
    assert metadata_key(entry.key) == note.sessions[0].key
    return entry.ranges[0]


def _ids(repository: Repository, commit: str, text: str) -> list[str]:
    return [f.rule for f in audit_notes(repository, [(commit, text.encode())], Settings()).findings]


def _rules(repo: Repo, settings: Settings) -> dict[str, list[str]]:
    with open_repository(repo.path) as repository:
        audits = list(read_audits(repository, "refs/notes/ai", settings))
    return {audit.commit: [f.rule for f in audit.findings] for audit in audits if audit.findings}
