"""`tidegate incident trace` as a person runs it in the night."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repos import Repo, build

Run = Callable[..., subprocess.CompletedProcess[str]]

TRACE = """12:00 ERROR request failed
Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/flask/app.py", line 1511, in wsgi_app
    response = self.full_dispatch_request()
  File "/app/src/shop/prices.py", line 8, in total
    result += price(item) * item["count"]
KeyError: 'count'
"""

CHECK = """import sys
sys.path.insert(0, "src")
from shop.prices import total
if total([{"price": 2, "count": 3}]) != 6:
    raise AssertionError("not 6")
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return build(
        tmp_path_factory.mktemp("shop") / "repo",
        """
        commit Start the shop
          file src/shop/prices.py
            . def price(item):
            .     return item["price"]
            .
            .
            . def total(items):
            .     result = 0
            .     for item in items:
            .         result += price(item) * item.get("count", 1)
            .     return result
        tag v1
        commit Name items
          file src/shop/items.py
            . def name(item):
            .     return item.get("name", "?")
        commit Count what is in the basket
          by Bob Jones <bob@example.com>
          file src/shop/prices.py
            . def price(item):
            .     return item["price"]
            .
            .
            . def total(items):
            .     result = 0
            .     for item in items:
            a         result += price(item) + item["count"]
            .     return result
        commit Say hello
          file README.md
            . hello
        """,
    )


def test_the_answer_is_read_in_ten_seconds(shop: Repo, tmp_path: Path, tidegate: Run) -> None:
    file = tmp_path / "trace.txt"
    file.write_text(TRACE)
    done = tidegate("incident", "trace", "--trace", str(file), cwd=shop.path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    commit = shop.head("HEAD~1")[:10]
    assert lines[0].startswith("Most probably (")
    assert lines[0].endswith(f"{commit} Count what is in the basket")
    assert '       > 8 |         result += price(item) + item["count"]' in lines
    assert "written by claude claude-opus-4-6 (E4, note ai), session" in done.stdout
    assert "accountable: Bob Jones" in " ".join(done.stdout.split())
    assert any(
        line.endswith(" %  none of these changes: the fault is in code that was running before") for line in lines
    )
    assert "  nothing was replayed: all of it is inferred (--replay)" in lines


def test_a_replay_proves_it(shop: Repo, tmp_path: Path, tidegate: Run) -> None:
    script = tmp_path / "check.py"
    script.write_text(CHECK)
    done = tidegate("incident", "trace", "--replay", f"{sys.executable} {script}", cwd=shop.path)
    assert done.returncode == 0
    assert done.stderr == "tidegate: runs the command on sources of this repository with your rights\n"
    commit = shop.head("HEAD~1")[:10]
    assert done.stdout.splitlines()[0] == f"Proved: {commit} Count what is in the basket"
    assert f"  no longer fails without {commit} Count what is in the basket\n" in done.stdout


def test_the_document_adds_up(shop: Repo, tmp_path: Path, tidegate: Run) -> None:
    file = tmp_path / "trace.txt"
    file.write_text(TRACE)
    arguments = ("incident", "trace", "--previous", "v1", "--trace", str(file), "--format", "json")
    done = tidegate(*arguments, cwd=shop.path)
    assert done.stdout == tidegate(*arguments, cwd=shop.path).stdout
    told = json.loads(done.stdout)
    assert told["schema"] == "tidegate.incident-trace/1"
    assert sum(one["probability"] for one in told["changes"]) + told["none"] == pytest.approx(1)
    first = told["changes"][0]
    assert (first["change"], first["how"]) == (shop.head("HEAD~1"), "inferred")
    assert [(line["path"], line["meant"], line["model"]) for line in first["lines"]] == [
        ("src/shop/prices.py", [8], "claude-opus-4-6")
    ]
    assert [frame["path"] for frame in told["frames"]] == ["", "src/shop/prices.py"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--previous", "HEAD"), "no commit lies between the two revisions"),
        (("--deployed", "v1"), "--previous: no tag lies below the deployed revision"),
        (("--trace", "gone.txt"), "--trace gone.txt: cannot be read: No such file or directory"),
        (("--replay", "'open"), "--replay: it cannot be read"),
        (("--replay", "no-such-command-here"), "the command cannot be started"),
    ],
)
def test_what_is_wrong_is_one_line(shop: Repo, tidegate: Run, arguments: tuple[str, ...], said: str) -> None:
    done = tidegate("incident", "trace", *arguments, cwd=shop.path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr.splitlines()[-1]


def test_what_is_proved_shows_its_lines_without_any_trace(shop: Repo, tidegate: Run, tmp_path: Path) -> None:
    (tmp_path / "check.py").write_text(
        "import os, sys\n" + CHECK.replace('raise AssertionError("not 6")', "os._exit(3)")
    )
    done = tidegate("incident", "trace", "--replay", f"{sys.executable} {tmp_path / 'check.py'}", cwd=shop.path)
    assert done.stdout.startswith("Proved: ")
    assert '> 8 |         result += price(item) + item["count"]' in done.stdout


def test_where_nothing_is_known_nobody_is_acquitted(shop: Repo, tidegate: Run) -> None:
    done = tidegate("incident", "trace", cwd=shop.path)
    assert done.stdout.splitlines()[0] == "Not clear: nothing points anywhere"
