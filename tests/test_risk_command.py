"""`tidegate risk` as a person runs it: exit codes, files, the document for machines, an interrupt loses nothing."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.repos import Repo
from tests.risk.pasts import repaired_past
from tidegate.cli.schema import schema_of
from tidegate.risk.features.definitions import NAMES
from tidegate.risk.history.update import BATCH
from tidegate.risk.model.model import Model, Part, encode_model
from tidegate.risk.model.single import Reference

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A small past, not learnt yet, and a change on top of it."""
    found = repaired_past(tmp_path_factory.mktemp("small") / "repo", 60)
    found.commit("Change", {"src/auth/part0.py": "def auth0(work, checked):\n    return work(1)\n"})
    return found


def test_what_is_not_learnt_is_an_answer_of_a_change_and_an_error_of_show(tmp_path: Path, tidegate: Run) -> None:
    found = repaired_past(tmp_path / "repo", 3)
    done = tidegate("risk", "HEAD~1..HEAD", cwd=found.path)
    assert done.returncode == 0
    assert "nothing learnt here yet (tidegate risk train)" in done.stdout
    shown = tidegate("risk", "show", cwd=found.path)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.endswith("nothing was learnt here yet; learn: tidegate risk train\n")


def test_the_way_from_learning_to_an_answer(repo: Repo, tmp_path: Path, tidegate: Run) -> None:
    file = tmp_path / "risk.json"
    trained = tidegate("risk", "train", "--at", "HEAD~1", "-o", str(file), cwd=repo.path)
    assert (trained.returncode, trained.stderr) == (0, "")
    assert trained.stdout.startswith("Learnt from")
    assert tidegate("risk", "show", cwd=repo.path).stdout == trained.stdout
    assert tidegate("risk", "show", "--model", str(file), cwd=tmp_path).stdout == trained.stdout
    evaluated = tidegate("risk", "evaluate", "--at", "HEAD~1", cwd=repo.path).stdout
    assert evaluated.strip() in trained.stdout
    assert "riskier than" in tidegate("risk", "HEAD~1..HEAD", cwd=repo.path).stdout
    lines = tidegate("check", "HEAD~1..HEAD", cwd=repo.path).stdout.splitlines()
    assert sum(line.startswith("Risk  ") for line in lines) == 1


def test_the_document_is_what_the_schema_of_facts_says(repo: Repo, tidegate: Run) -> None:
    tidegate("risk", "train", cwd=repo.path)
    document = json.loads(tidegate("risk", "HEAD~1..HEAD", "--format", "json", cwd=repo.path).stdout)
    assert document.pop("schema") == "tidegate.risk/1"
    schema = json.loads(schema_of("facts"))
    for name, section in document.items():
        jsonschema.Draft202012Validator(_section(schema, name)).validate(section)
    assert set(document) == {"risk", "history"}
    assert "probability" not in document["risk"]
    assert 0.0 <= document["risk"]["percentile"] <= 1.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("risk", "nowhere"), "no commit is called 'nowhere' here"),
        (("risk", "train", "--at", "nowhere"), "no commit is called 'nowhere' here"),
        (("risk", "train", "-o", "no/such/folder.json"), "--output no/such/folder.json: cannot be written"),
        (("risk", "train", "--prior", "missing.json"), "missing.json: the risk model cannot be read"),
        (("risk", "show", "--model", "missing.json"), "missing.json: cannot be read"),
        (("risk", "show", "--model", "/dev/zero"), "/dev/zero: this is too large"),
        (("fleet", "/dev/zero"), "/dev/zero: the list is larger than 16 MB"),
        (("risk", "--now", "0001-01-01T00:00:00+14:00"), "--now"),
        (("risk", "--now", "soon"), "--now: 'soon' is not a moment"),
        (("trace-fix", "nowhere"), "no commit is called 'nowhere' here"),
        (("trace-fix", "HEAD", "--reported-at", "soon"), "--reported-at: 'soon' is not a moment"),
        (("policy", "backtest", "--since", "soon"), "--since: 'soon' is no time span and no day"),
        (("policy", "backtest", "--since", "-5d"), "--since: '-5d' is no time span and no day"),
        (("policy", "backtest", "--branch", "--output=x"), "'--output=x' is not a revision"),
        (("policy", "backtest", "--rules", "missing.toml"), "missing.toml: cannot be read"),
    ],
)
def test_bad_input_is_one_clear_line(repo: Repo, tidegate: Run, arguments: tuple[str, ...], says: str) -> None:
    done = tidegate(*arguments, cwd=repo.path)
    assert done.returncode == 2
    assert done.stderr.startswith("tidegate: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_prior_of_ones_own_answers_and_one_of_other_features_is_refused(
    repo: Repo, tmp_path: Path, tidegate: Run
) -> None:
    (tmp_path / "own.json").write_bytes(encode_model(_prior(NAMES)))
    (tmp_path / "other.json").write_bytes(encode_model(_prior(("la", "luck"))))
    learnt = tidegate("risk", "train", "--prior", str(tmp_path / "own.json"), "--format", "json", cwd=repo.path)
    assert json.loads(learnt.stdout)["model"]["kind"] == "prior"
    refused = tidegate("risk", "train", "--prior", str(tmp_path / "other.json"), cwd=repo.path)
    assert refused.returncode == 2
    assert "--prior: the prior speaks of other features" in refused.stderr


def test_what_cannot_be_kept_is_said(repo: Repo, tmp_path: Path, tidegate: Run) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "-q", str(repo.path), str(copy)], check=True)
    (copy / ".git" / "tidegate").symlink_to(tmp_path)
    done = tidegate("risk", "train", cwd=copy)
    assert done.returncode == 2
    assert done.stdout.startswith("Learnt from")
    assert "could not be kept" in done.stderr
    assert tidegate("risk", "train", "-o", str(tmp_path / "file.json"), cwd=copy).returncode == 0
    assert list(tmp_path.glob("history*")) == []


def test_an_interrupt_loses_nothing_that_was_read(tmp_path: Path, tidegate: Run) -> None:
    """What was read stays read, nothing half-learnt is kept, and the next run ends the work."""
    large = _many(tmp_path / "large", BATCH + 2_000)
    code, out, err = _interrupted(large)
    assert code == 130, err
    assert (out, err.strip()) == (b"", b"tidegate: stopped")
    assert _rows(_kept(large)) >= BATCH
    assert tidegate("risk", "show", cwd=large.path).returncode == 2
    again = tidegate("risk", "train", "--format", "json", cwd=large.path)
    assert again.returncode == 0
    fresh = _many(tmp_path / "fresh", BATCH + 2_000)
    assert json.loads(again.stdout) == json.loads(tidegate("risk", "train", "--format", "json", cwd=fresh.path).stdout)


# Private


def _section(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """A section's part of the schema, its fields optional: what is not known is left out."""
    root = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    return {**root["properties"][name], "$defs": schema["$defs"]}


def _prior(names: tuple[str, ...]) -> Model:
    count = len(names)
    weights = tuple(0.5 if name == "la" else 0.0 for name in names)
    reference = Reference(((),) * count, (0.0,) * count, (1.0,) * count)
    return Model(1, names, "prior", reference, (Part("lines", "log", 1.0, -2.0, weights),))


def _many(path: Path, commits: int) -> Repo:
    """So many commits of a bot, which are quickly learnt from."""
    found = Repo.init(path)
    text = "".join(
        f"commit refs/heads/main\ncommitter a[bot] <a@b> {1_600_000_000 + number} +0000\ndata 2\nhi\n"
        f"M 100644 inline a.txt\ndata {len(str(number))}\n{number}\n\n"
        for number in range(commits)
    )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=path, input=text.encode(), check=True)
    return found


def _interrupted(repo: Repo) -> tuple[int, bytes, bytes]:
    """`risk train`, interrupted as soon as some of the history is kept."""
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "tidegate"), "risk", "train"],
        cwd=repo.path,
        env={"PATH": os.environ["PATH"], "HOME": os.devnull},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_interruptible,  # noqa: PLW1509  it sets one signal and starts no thread
    )
    while process.poll() is None and _rows(_kept(repo)) == 0:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def _interruptible() -> None:
    """What a shell starts in the background inherits that interrupts are ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _kept(repo: Repo) -> Path:
    return repo.path / ".git" / "tidegate" / "history" / "history.db"


def _rows(kept: Path) -> int:
    if not kept.exists():
        return 0
    try:
        connection = sqlite3.connect(f"{kept.as_uri()}?mode=ro", uri=True)
        try:
            return int(connection.execute("SELECT count(*) FROM commits").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.OperationalError:
        return 0
