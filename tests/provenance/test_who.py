"""`tidegate who`: the exact text that a person reads, and what a machine reads."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from tests.repos import CLAUDE_TRAILER, Repo
from tidegate.change.git import Repository
from tidegate.errors import InputError
from tidegate.provenance.who import parse_place, read_who
from tidegate.settings import Settings

Draw = Callable[[str], Repo]
Tidegate = Callable[..., subprocess.CompletedProcess[str]]
Opened = Callable[[Repo], Repository]

SCRIPT = f"""
commit Open the shop
  file src/cart.py
    . import money
    .
    .
    . def total(items):
    .     return sum(items)
commit Count the discount once
  by Bob Jones <bob@example.com>
  file src/cart.py
    . import money
    .
    .
    h def total(items, discount=0):
    .     return sum(items)
commit Round the total
  file src/cart.py
    . import money
    .
    .
    . def total(items, discount=0):
    a     exact = sum(items) - discount
    a     cents = money.cents(exact)
    a     if cents < 0:
    a         raise ValueError(cents)
    a     return money.of(cents)
commit Say what it is
  trailer {CLAUDE_TRAILER}
  file src/cart.py
    . # The cart.
    . import money
    .
    .
    . def total(items, discount=0):
    .     exact = sum(items) - discount
    .     cents = money.cents(exact)
    .     if cents < 0:
    .         raise ValueError(cents)
    .     return money.of(cents)
"""


def test_what_a_person_reads(draw: Draw, tidegate: Tidegate) -> None:
    done = tidegate("who", "src/cart.py", cwd=draw(SCRIPT).path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == snapshot("""\
src/cart.py at 89bb61d497a0

1  claude
     E2 declared, trailer co-authored-by
     accountable: Alice Smith <alice@example.com>
     89bb61d497a0 2026-02-02 Say what it is
 1 | # The cart.

2-4  unknown
     E0 no evidence
     accountable: Alice Smith <alice@example.com>
     35b1c6a89e3d 2026-02-02 Open the shop
 2 | import money
 3 |
 4 |

5  a person
     E4 audited note or trace, note ai
     accountable: Bob Jones <bob@example.com>
     203f425cf97e 2026-02-02 Count the discount once
 5 | def total(items, discount=0):

6-10  claude claude-opus-4-6
     E4 audited note or trace, note ai
     session 11111111-2222-3333-4444-555555555555
     accountable: Alice Smith <alice@example.com>
     e6e8f82b33d4 2026-02-02 Round the total
 6 |     exact = sum(items) - discount
 7 |     cents = money.cents(exact)
 8 |     if cents < 0:
     2 more lines
""")
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_one_line_and_some_lines(draw: Draw, tidegate: Tidegate) -> None:
    repo = draw(SCRIPT)
    one = tidegate("who", "cart.py:5", cwd=repo.path / "src")
    assert one.stdout == snapshot("""\
src/cart.py at 89bb61d497a0

5  a person
    E4 audited note or trace, note ai
    accountable: Bob Jones <bob@example.com>
    203f425cf97e 2026-02-02 Count the discount once
5 | def total(items, discount=0):
""")
    some = tidegate("who", "src/cart.py:6-9", "--rev", "HEAD", cwd=repo.path)
    assert "more lines" not in some.stdout


def test_what_a_machine_reads(draw: Draw, tidegate: Tidegate) -> None:
    repo = draw(SCRIPT)
    document = json.loads(tidegate("who", "src/cart.py:1-6", "--format", "json", cwd=repo.path).stdout)
    assert (document["schema"], document["path"], document["revision"]) == (
        "tidegate.who/1",
        "src/cart.py",
        repo.head(),
    )
    spans = [(s["line"], s["end_line"], s["writer"], s["tool"], s["evidence"], s["human"]) for s in document["spans"]]
    alice, bob = "Alice Smith <alice@example.com>", "Bob Jones <bob@example.com>"
    assert spans == [
        (1, 1, "ai", "claude", "E2", alice),
        (2, 4, "unknown", "", "E0", alice),
        (5, 5, "human", "", "E4", bob),
        (6, 6, "ai", "claude", "E4", alice),
    ]
    assert document["spans"][3]["lines"] == ["    exact = sum(items) - discount"]
    assert document["spans"][3]["subject"] == "Round the total"


@pytest.mark.parametrize(
    ("place", "what"),
    [
        ("nope.py", "no such file"),
        ("src", "this is a folder"),
        ("src/cart.py:99", "the file has 10 lines, not 99"),
        ("src/cart.py:0", "not a run of lines"),
        ("src/cart.py:9-3", "not a run of lines"),
        ("../cart.py", "not a file inside the repository"),
        (".", "not a file inside the repository"),
        ("data.bin", "a binary file has no lines"),
    ],
)
def test_a_wrong_place_is_refused_in_one_line(draw: Draw, tidegate: Tidegate, place: str, what: str) -> None:
    repo = draw(SCRIPT)
    repo.commit("Add data", {"data.bin": b"\0\1"})
    done = tidegate("who", place, cwd=repo.path)
    assert (done.returncode, done.stdout) == (2, "")
    assert what in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_wrong_revision_is_refused(draw: Draw, tidegate: Tidegate) -> None:
    repo = draw(SCRIPT)
    for revision in ("nope", "--output=x", ""):
        done = tidegate("who", "src/cart.py", "--rev", revision, cwd=repo.path)
        assert (done.returncode, done.stdout) == (2, "")
    assert not (repo.path / "x").exists()


def test_an_earlier_revision_has_its_own_answer(draw: Draw, tidegate: Tidegate) -> None:
    done = tidegate("who", "src/cart.py:5", "--rev", "HEAD~3", cwd=draw(SCRIPT).path)
    assert "Open the shop" in done.stdout


def test_hostile_text_cannot_act_on_the_terminal(draw: Draw, tidegate: Tidegate) -> None:
    repo = draw(SCRIPT)
    text = "x = '\x1b]0;owned\x07\x1b[31m' # \u202egnp.exe\n::set-output name=a::b\n"
    message = f"Evil \x1b[2J\u202e\n\n{CLAUDE_TRAILER}\nAI-Tool: \x1b[31mred"
    repo.commit(message, {"e.py": text}, author="Mal\x1b[31m <mal@example.com>")
    done = tidegate("who", "e.py", cwd=repo.path)
    assert done.returncode == 0
    assert not {c for c in done.stdout if not c.isprintable() and c != "\n"}
    assert "\n::" not in done.stdout


def test_strange_names_are_found(draw: Draw, tidegate: Tidegate) -> None:
    repo = draw(SCRIPT)
    names = ["mit Leerzeichen.py", 'q"uote.py', "umläut.py", "a:3.py", "tab\there.py"]
    for name in names:
        repo.write(name, "one = 1\n")
    repo.commit(f"Add\n\n{CLAUDE_TRAILER}")
    for name in names:
        done = tidegate("who", name, "--format", "json", cwd=repo.path)
        assert done.returncode == 0, done.stderr
        assert [s["tool"] for s in json.loads(done.stdout)["spans"]] == ["claude"]


def test_an_empty_file_has_no_lines(draw: Draw, tidegate: Tidegate) -> None:
    repo = draw(SCRIPT)
    repo.commit("Add", {"empty.py": ""})
    assert "The file is empty." in tidegate("who", "empty.py", cwd=repo.path).stdout


def test_lines_from_before_the_edge_of_a_shallow_clone_are_unknown(draw: Draw, tidegate: Tidegate) -> None:
    repo = draw(SCRIPT)
    clone = repo.path.parent / "clone"
    repo.git("clone", "-q", "--depth", "1", f"file://{repo.path}", str(clone))
    document = json.loads(tidegate("who", "src/cart.py", "--format", "json", cwd=clone).stdout)
    assert [(s["writer"], s["commit"], s["human"]) for s in document["spans"]] == [("unknown", "", "")]


def test_a_merge_and_a_rename_keep_their_writers(draw: Draw, tidegate: Tidegate) -> None:
    repo = draw(SCRIPT)
    repo.git("mv", "src/cart.py", "basket.py")
    repo.commit("Move")
    document = json.loads(tidegate("who", "basket.py:6", "--format", "json", cwd=repo.path).stdout)
    assert [(s["writer"], s["evidence"]) for s in document["spans"]] == [("ai", "E4")]


def test_the_number_of_processes_does_not_grow(draw: Draw, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = draw(SCRIPT)
    repository = opened(repo)
    real, count = subprocess.Popen, [0]

    class Counted(real):  # type: ignore[valid-type, misc]
        def __init__(self, *arguments: object, **named: object) -> None:
            count[0] += 1
            super().__init__(*arguments, **named)

    monkeypatch.setattr(subprocess, "Popen", Counted)
    read_who(repository, Settings(), "HEAD", b"src/cart.py")
    before, count[0] = count[0], 0
    for n in range(6):
        text = (repo.path / "src/cart.py").read_text()
        repo.commit(f"More {n}\n\n{CLAUDE_TRAILER}", {"src/cart.py": f"{text}x = {n}\n"})
    count[0] = 0
    read_who(repository, Settings(), "HEAD", b"src/cart.py")
    assert 0 < count[0] <= before


def test_places_are_taken_apart() -> None:
    assert parse_place("a.py") == ("a.py", 0, 0)
    assert parse_place("a.py:3") == ("a.py", 3, 3)
    assert parse_place("a:b.py:3-5") == ("a:b.py", 3, 5)
    with pytest.raises(InputError):
        parse_place("a.py:0")


@given(st.text(max_size=40))
def test_no_place_is_too_strange(text: str) -> None:
    try:
        asked = parse_place(text)
    except InputError:
        return
    assert asked.first <= asked.last
