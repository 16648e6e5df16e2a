"""The child that analyses: whatever becomes of it there is a decision, and it is never a pass by accident."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tests.repos import build
from tidegate.server.config import Limits
from tidegate.server.work import analysis
from tidegate.server.work.analysis import UNANALYSED, Analysis, analyse, policy_at
from tidegate.server.work.asked import evidence_of
from tidegate.server.work.questions import UNREAD_POLICY, Ask, Attached, Begun, follows, is_last
from tidegate.server.work.record import read_document

USUAL = Limits(seconds=60)
ANSWER = b'{"type":"begun","policy":"p","key":"k","base":"b","head":"h","merge_tree":"m"}\n'
PASS = b'{"type":"done","verdict":"pass","risk":null,"facts":"f","document":"e30="}\n'


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """A small change of a bare repository."""
    repo = build(
        tmp_path_factory.mktemp("child") / "source",
        """
        commit Begin
          file app.py
            . x = 1
        branch topic
        commit Add y
          file app.py
            . x = 1
            . y = 2
        """,
    )
    mirror = repo.path.parent / "mirror.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(repo.path), str(mirror)], check=True)
    tip, head = repo.head("main"), repo.head("topic")
    pull = {
        "number": 1,
        "title": "Add y",
        "base": {"sha": "0" * 40, "ref": "main", "repo": {"full_name": "acme/shop"}},
        "head": {"sha": head, "ref": "topic"},
        "user": {"login": "ada"},
        "updated_at": "2026-03-01T00:00:00Z",
    }
    return Ask(str(mirror), "github:acme/shop", 1, tip, "2026-03-02T00:00:00Z", json.dumps(pull).encode(), b"[]")


def saying(code: str) -> tuple[str, ...]:
    """A child that does this instead."""
    return (sys.executable, "-c", f"import os, sys, time, subprocess\nout = sys.stdout.buffer\n{code}")


def held(found: Analysis, because: str) -> None:
    assert found.done is not None
    assert found.done.verdict == "hold"
    assert because in found.problem
    document = read_document(found.done.document)
    (rule,) = document.verdict.rules
    assert (document.verdict.outcome, rule.id, rule.state) == ("hold", UNANALYSED, "unknown")
    assert because in rule.reason
    assert because in document.facts.change.unknowns[0].reason


def test_a_change_is_analysed_at_the_tip_of_its_target(ask: Ask) -> None:
    found = analyse(ask, USUAL)
    assert found.problem == ""
    assert found.done is not None
    assert found.begun.base == ask.tip  # whatever base the forge names
    document = read_document(found.done.document)
    assert [file.path for file in document.facts.change.files] == ["app.py"]
    assert document.verdict.policy_digest == found.begun.policy == policy_at(replace(ask, pull=b""), USUAL)
    assert document.facts.repository.name == "acme/shop"
    again = analyse(replace(ask, known=(found.begun.key,)), USUAL)
    assert again.begun.known
    assert again.done is None


@pytest.mark.parametrize(
    ("code", "because"),
    [
        ("time.sleep(60)", "longer than 1 s"),
        ("os.close(1); time.sleep(60)", ""),
        ("os.abort()", "broke off (signal 6)"),
        ("os.kill(os.getpid(), 9)", "ended from outside"),
        ("sys.exit(71)", "more than 2048 MB of memory"),
        ("sys.exit(3)", "exit code 3"),
        ("", "gave no answer"),
        ("out.write(b'no json\\n')", "what is no answer"),
        ("out.write(b'[' * 100_000)", "what is no answer"),
        ("out.write(b'\\xff\\xfe\\n')", "what is no answer"),
        (f"out.write({ANSWER!r})", "gave no answer"),
        (f"out.write({PASS!r})", "gave no answer"),
        (f"out.write({ANSWER!r} + {PASS!r}); out.flush(); os.abort()", "broke off"),
        (f"out.write({ANSWER!r} + {PASS!r}); out.flush(); sys.exit(1)", "exit code 1"),
        (f"out.write({ANSWER!r} + {PASS[:-20]!r})", "what is no answer"),
        ("out.write(b'x' * 5_000_000)", "more than 1 MB"),
    ],
)
def test_what_becomes_of_the_child_never_becomes_a_pass(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, code: str, because: str
) -> None:
    monkeypatch.setattr(analysis, "MOST_OUTPUT_BYTES", 1 << 20)
    started = time.monotonic()
    held(analyse(ask, Limits(seconds=1), saying(code)), because)
    assert time.monotonic() - started < 15


def test_what_the_child_started_ends_with_it(ask: Ask, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    code = f"p = subprocess.Popen(['sleep', '60']); open({str(told)!r}, 'w').write(str(p.pid)); time.sleep(60)"
    held(analyse(ask, Limits(seconds=1), saying(code)), "longer than")
    pid = int(told.read_text())
    for _ in range(100):
        if not _runs(pid):
            return
        time.sleep(0.05)
    pytest.fail("it still runs")


def test_the_child_knows_no_secret_of_the_service(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_GITHUB_TOKEN", "a secret")
    monkeypatch.setenv("GH_TOKEN", "another secret")
    told = tmp_path / "environment"
    analyse(ask, USUAL, saying(f"open({str(told)!r}, 'w').write(str(dict(os.environ)) + os.getcwd())"))
    assert "secret" not in told.read_text()
    assert "TIDEGATE" not in told.read_text()


def test_the_real_child_is_bounded_in_memory_and_processor_time(ask: Ask) -> None:
    held(analyse(ask, Limits(seconds=60, memory_mb=40)), "")
    many = b"[" + b",".join([b'{"id":1,"user":{"login":"x"},"state":"COMMENTED"}'] * 150_000) + b"]"
    found = analyse(replace(ask, reviews=many), Limits(seconds=1))
    held(found, "1 s")


@pytest.mark.slow
def test_limits_reach_what_the_child_starts(ask: Ask) -> None:
    code = (
        "from tidegate.server.work.child import limit\nlimit(7, 512)\n"
        "text = subprocess.run(['sh', '-c', 'ulimit -Hv; ulimit -Ht; ulimit -Hc'], capture_output=True).stdout\n"
        "sys.stderr.write(text.decode())"
    )
    done = subprocess.run(saying(code), capture_output=True, check=True, text=True)
    assert done.stderr.split() == [str(512 * 1024), "7", "0"]
    assert ask.pull


@pytest.mark.parametrize("pull", [b"", b"{}", b"[]", b"null", b"\xff", b'{"base":{},"head":{}}', b"[" * 50_000])
def test_a_description_that_is_none_holds(ask: Ask, pull: bytes) -> None:
    held(analyse(replace(ask, pull=pull), USUAL), "")


def test_a_mirror_that_is_not_there_holds_and_has_no_policy(ask: Ask) -> None:
    lost = replace(ask, mirror="/nowhere")
    held(analyse(lost, USUAL), "does not exist")
    assert policy_at(replace(lost, pull=b""), USUAL) == UNREAD_POLICY


def test_the_key_changes_with_what_counts_and_with_nothing_else(ask: Ask) -> None:
    from tidegate.change.pulls import read_event

    def evidence(asked: Ask) -> str:
        path = Path(asked.mirror).parent / "pull.json"
        path.write_bytes(asked.pull)
        return evidence_of(asked, read_event(path))

    def said(**changed: object) -> Ask:
        return replace(ask, pull=json.dumps({**json.loads(ask.pull), **changed}).encode())

    same = [ask, said(updated_at="2026-04-01T00:00:00Z"), replace(ask, now="2027-01-01T00:00:00Z"), said(comments=7)]
    others = [
        said(title="Other"),
        said(labels=[{"name": "urgent"}]),
        said(user={"login": "ben"}),
        replace(ask, reviews=b'[{"id":1}]'),
        replace(ask, reviews=None),
        replace(ask, approvals=(b"a",)),
        replace(ask, approvers={"ada": ("k",)}),
        replace(ask, attached=(Attached("junit", "a.xml", b"x"),)),
        replace(ask, attached=(Attached("junit", "a.xml", b"y"),)),
        replace(ask, again="d1"),
    ]
    assert len({evidence(each) for each in same}) == 1
    assert len({evidence(each) for each in (ask, *others)}) == len(others) + 1


def test_a_decision_that_comes_back_is_known_by_its_place() -> None:
    assert is_last("a", ("a", "b"))
    assert not is_last("a", ("b", "a"))
    assert is_last("a", (follows("a", "b"), "b"))
    assert not is_last("a", (follows("a", "c"), "b"))
    assert not is_last("a", ())


@pytest.mark.slow
def test_files_that_were_attached_are_evidence(ask: Ask) -> None:
    junit = b'<testsuite name="s" tests="1"><testcase classname="a" name="b"/></testsuite>'
    found = analyse(replace(ask, attached=(Attached("junit", "../../report.xml", junit),)), USUAL)
    assert found.done is not None
    with_it = msgspec.json.decode(found.done.document)["facts"]["verification"]
    plain = analyse(ask, USUAL)
    assert plain.done is not None
    assert with_it != msgspec.json.decode(plain.done.document)["facts"]["verification"]
    assert isinstance(plain.begun, Begun)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
