"""`tidegate trace-fix` as a person and a machine read it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from tests.repos import Repo, build
from tidegate.cli.main import tidegate
from tidegate.errors import GitError, InputError
from tidegate.report.trace_fix import TraceDocument

SCRIPT = """\
commit Start
  file cart.py
    . def total(items):
    .     return sum(items)
commit Count items
  trailer Co-authored-by: Claude <noreply@anthropic.com>
  file cart.py
    . def total(items):
    a     return sum(item.count for item in items)
  file tax.py
    . RATE = 0.2
commit Fix the total
  file cart.py
    . def total(items):
    .     return sum(item.price for item in items)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Repo:
    return build(tmp_path / "shop", SCRIPT)


def run(repo: Repo, *arguments: str) -> Result:
    return CliRunner().invoke(tidegate, ["trace-fix", "--repo", str(repo.path), *arguments])


def test_a_person_reads_who_wrote_what_was_repaired(shop: Repo) -> None:
    told = run(shop, "HEAD")
    assert told.exit_code == 0
    fix, culprit = shop.head()[:12], shop.head("HEAD~1")[:12]
    lines = told.output.splitlines()
    assert lines[0] == f"Fix {fix} Fix the total"
    assert f"{culprit} 2026-02-02 Count items" in lines[2]
    assert "Written by claude" in told.output
    assert "accountable: Alice Smith <alice@example.com>" in " ".join(told.output.split())
    assert "cart.py:2: return sum(item.count for item in items)" in told.output
    assert lines[-1].endswith("none of these.") or lines[-1].endswith("with -v.")


def test_at_most_forty_lines_unless_all_are_asked_for(shop: Repo) -> None:
    for number in range(30):
        shop.commit(f"Part {number}", {f"part{number % 3}.py": "".join(f"x{i} = {i * number}\n" for i in range(40))})
    shop.commit("Fix the parts", {f"part{n}.py": "".join(f"x{i} = {-i}\n" for i in range(40)) for n in range(3)})
    short, whole = run(shop, "HEAD"), run(shop, "HEAD", "-v")
    assert len(short.output.splitlines()) <= 40 < len(whole.output.splitlines())


def test_a_machine_reads_every_suspect(shop: Repo) -> None:
    document = msgspec.json.decode(run(shop, "HEAD", "--format", "json").output, type=TraceDocument)
    first = document.suspects[0]
    assert (document.fix, document.blameless) == (shop.head(), "")
    assert (first.commit, first.tool, first.writer) == (shop.head("HEAD~1"), "claude", "ai")
    assert [(line.path, line.line, line.tool) for line in first.lines] == [("cart.py", 2, "claude")]
    assert run(shop, "HEAD", "--format", "json").output == run(shop, "HEAD", "--format", "json").output


def test_a_commit_that_repairs_nothing_is_answered(shop: Repo) -> None:
    told = run(shop, "HEAD~2")
    assert told.exit_code == 0
    assert "it is the first commit" in " ".join(told.output.split())
    early = run(shop, "HEAD", "--reported-at", "2001-01-01")
    assert "younger than the report" in " ".join(early.output.split())


def test_bad_input_is_refused(shop: Repo) -> None:
    assert isinstance(run(shop, "nothing").exception, GitError)
    assert isinstance(run(shop, "HEAD", "--reported-at", "soon").exception, InputError)


def test_foreign_text_cannot_drive_the_terminal(shop: Repo) -> None:
    shop.commit("Break \x1b[31mit\x1b[0m", {"cart.py": "a = '\x1b]0;x\x07'\n"}, author="E\x1b[2Jve <e@example.com>")
    shop.commit("Fix it", {"cart.py": "a = 1\n"})
    told = run(shop, "HEAD", "-v", "--color", "never")
    assert told.exit_code == 0
    assert "\x1b" not in told.output
    assert "\x07" not in told.output
