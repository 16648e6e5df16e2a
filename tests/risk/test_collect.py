"""What a check says of risk: facts as documented, and unknown wherever history cannot carry an answer."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.repos import Repo
from tests.risk.pasts import DAY, repaired_past
from tidegate.assess import Request, assess
from tidegate.change.configuration import read_settings
from tidegate.change.git import open_repository
from tidegate.change.read import Question
from tidegate.errors import InputError
from tidegate.facts import Facts, History, Risk, is_known, to_document, to_json
from tidegate.replay import moment_of
from tidegate.risk.collect import BANDS, LEAST_LABELS, LEAST_RANKED
from tidegate.risk.knowledge import Knowledge, decode, encode, read_kept
from tidegate.risk.train import learn
from tidegate.settings import Settings

NOW = "2026-06-01T12:00:00Z"
EDIT = {"src/auth/part0.py": "def auth0(work, checked):\n    value_1 = work(1, 2)\n    return value_1\n"}


def learnt(repo: Repo, revision: str = "HEAD") -> Knowledge:
    with open_repository(repo.path) as repository:
        settings = read_settings(repository, repository.find("HEAD"), {}).settings
        return learn(repository, repository.resolve(revision), settings).knowledge


def judge(repo: Repo, change: str = "HEAD~1..HEAD", **more: Any) -> Facts:
    request = Request(Question(change=change, **more), stage=None, now=NOW, environment={})
    with open_repository(repo.path) as repository:
        return assess(request, repository).facts


def reasons(section: Risk | History, name: str) -> list[str]:
    path = f"{type(section).__name__.lower()}.{name}"
    return [unknown.reason for unknown in section.unknowns if unknown.path == path]


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A past that carries a probability, learnt, and a change on top of it."""
    repo = repaired_past(tmp_path_factory.mktemp("long") / "repo", 500)
    learnt(repo)
    repo.commit("Count the visits of a page", EDIT)
    return repo


@pytest.fixture(scope="module")
def known(long: Repo) -> bytes:
    """What was learnt of it, as a file."""
    with open_repository(long.path) as repository:
        found = read_kept(repository)
    assert found is not None
    return encode(found)


def copied(repo: Repo, path: Path) -> Repo:
    """A copy with what is kept beside it."""
    shutil.copytree(repo.path, path)
    return Repo(path, clock=repo.clock)


def clone(repo: Repo, path: Path, *options: str) -> Repo:
    subprocess.run(["git", "clone", "-q", *options, f"file://{repo.path}", str(path)], check=True)
    return Repo(path, clock=repo.clock)


# What is learnt carries an answer


def test_nothing_learnt_is_unknown_says_what_to_do_and_writes_nothing(tmp_path: Path) -> None:
    repo = repaired_past(tmp_path / "repo", 40)
    facts = judge(repo)
    assert reasons(facts.risk, "probability") == ["nothing learnt here yet (tidegate risk train)"]
    for name in ("probability", "usual", "percentile", "band", "factors", "lines", "model", "model_digest"):
        assert not is_known(facts.risk, name)
    assert facts.history.status == "unknown"
    assert not (repo.path / ".git" / "tidegate" / "history").exists()


def test_what_was_learnt_is_told_as_documented(long: Repo) -> None:
    facts = judge(long)
    risk, history = facts.risk, facts.history
    for name in ("probability", "usual", "percentile", "band", "factors", "lines", "model", "model_digest"):
        assert is_known(risk, name), name
    assert 0.0 < risk.usual < risk.probability < 1.0
    assert risk.band == next(name for least, name in BANDS if risk.percentile >= least)
    assert 0 < len(risk.factors) <= 6
    assert 0 < len(risk.lines) <= 5
    assert [abs(one.weight) for one in risk.factors] == sorted((abs(one.weight) for one in risk.factors), reverse=True)
    assert {line.path for line in risk.lines} == set(EDIT)
    assert history.status == "complete"
    assert history.changes > 500
    assert LEAST_LABELS <= history.matured < history.changes
    assert 0 < history.repaired < history.matured / 2
    assert history.repaired_share == round(history.repaired / history.matured, 4)
    assert history.since == "2020-09-13T12:26:40Z"
    assert history.author_changes == 0
    assert history.files_repaired == 1


def test_few_labels_leave_a_rank_and_no_probability(tmp_path: Path) -> None:
    repo = repaired_past(tmp_path / "repo", 120)
    found = learnt(repo)
    assert not found.model.calibrated
    repo.commit("Change", EDIT)
    facts = judge(repo)
    assert not is_known(facts.risk, "probability")
    assert not is_known(facts.risk, "usual")
    assert is_known(facts.risk, "percentile")
    assert is_known(facts.risk, "band")
    (reason,) = reasons(facts.risk, "probability")
    assert reason == f"{found.figures.matured} earlier changes have matured here, and a probability needs 300"
    assert "probability" not in to_document(facts)["risk"]


def test_no_probability_where_all_changes_are_of_one_moment(tmp_path: Path) -> None:
    """A history that was imported under one date has had no time in which anything could have matured."""
    repo = repaired_past(tmp_path / "repo", 400, days=0.0001)
    assert learnt(repo).figures.matured == 0
    repo.commit("Change", EDIT)
    assert not is_known(judge(repo).risk, "probability")


def test_below_thirty_changes_there_is_no_rank(tmp_path: Path) -> None:
    repo = repaired_past(tmp_path / "repo", LEAST_RANKED - 5)
    assert learnt(repo).figures.changes < LEAST_RANKED
    repo.commit("Change", EDIT)
    facts = judge(repo)
    for name in ("probability", "percentile", "band"):
        assert not is_known(facts.risk, name)
    assert "earlier changes to rank it among" in reasons(facts.risk, "band")[0]


def test_an_empty_history_is_learnt_without_an_answer(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    repo.commit("Start", {"README.md": "# Hello\n"})
    assert learnt(repo).figures.changes == 0
    repo.commit("Change", EDIT)
    facts = judge(repo)
    assert not is_known(facts.risk, "probability")
    assert not is_known(facts.risk, "percentile")


# Every kind of change


def test_a_staged_tree_is_judged_and_its_author_is_not_known(long: Repo, tmp_path: Path) -> None:
    repo = copied(long, tmp_path / "copy")
    repo.write("src/auth/part1.py", "def auth1(work, checked):\n    return work(3)\n")
    repo.git("add", "-A")
    facts = judge(repo, "", staged=True)
    assert is_known(facts.risk, "probability")
    assert reasons(facts.history, "author_changes") == ["nobody has committed this change yet"]


def test_a_bare_diff_has_no_history(long: Repo, tmp_path: Path) -> None:
    diff = tmp_path / "change.diff"
    diff.write_text(long.git("diff", "HEAD~1", "HEAD") + "\n", encoding="utf-8")
    request = Request(Question(diff=diff), stage=None, now=NOW, environment={})
    facts = assess(request, None).facts
    assert not is_known(facts.risk, "probability")
    assert facts.history.status == "unknown"
    assert reasons(facts.risk, "probability") == ["there is no repository to read the history of"]


def test_a_bare_diff_in_a_repository_is_not_taken_for_a_change_of_files_without_a_past(
    long: Repo, tmp_path: Path
) -> None:
    diff = tmp_path / "change.diff"
    diff.write_text(long.git("diff", "HEAD~1", "HEAD") + "\n", encoding="utf-8")
    facts = judge(long, "", diff=diff)
    assert reasons(facts.risk, "percentile") == ["a diff does not say which history it is based on"]


def test_a_shallow_clone_leaves_risk_unknown_and_says_how_to_mend_it(long: Repo, tmp_path: Path) -> None:
    repo = clone(long, tmp_path / "clone", "--depth", "50")
    learnt(repo)
    facts = judge(repo)
    assert not is_known(facts.risk, "probability")
    assert not is_known(facts.risk, "percentile")
    assert any("git fetch --unshallow" in reason for reason in reasons(facts.risk, "probability"))
    assert facts.history.status == "partial"


def test_a_base_older_than_what_was_learnt_is_judged_by_its_own_past(long: Repo) -> None:
    facts = judge(long, "HEAD~300..HEAD~299")
    author = long.git("log", "-1", "--format=%ae", "HEAD~299")
    assert facts.history.author_changes == int(long.git("rev-list", "--count", f"--author={author}", "HEAD~300"))
    assert is_known(facts.risk, "percentile")


# The file that the settings name


@pytest.fixture
def shared(long: Repo, known: bytes, tmp_path: Path) -> Repo:
    """A clone in which nothing is kept, and whose settings name a model that is committed."""
    repo = clone(long, tmp_path / "clone")
    repo.commit("Share the model", {"tidegate.toml": SETTINGS, "risk.json": known})
    repo.commit("Change", {"src/auth/part2.py": "def auth2(work, checked):\n    return work(5)\n"})
    return repo


YEAR_2096 = 4_000_000_000
SETTINGS = '[risk]\nmodel = "risk.json"\n'


def test_a_model_at_the_base_answers_where_nothing_is_kept(shared: Repo) -> None:
    facts = judge(shared)
    assert is_known(facts.risk, "probability")
    assert facts.history.matured >= LEAST_LABELS


def test_a_model_that_the_change_brings_is_not_asked(shared: Repo) -> None:
    before = judge(shared).risk
    tame = _edited(shared, lambda known: known["model"].update(offset=-50.0))
    shared.commit("Change and tame the judge", {"risk.json": tame, "src/auth/part2.py": "auth2 = 5\n"})
    assert judge(shared).risk.model_digest == before.model_digest
    assert judge(shared).risk.probability > 0.01


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "there is no such file at the base (missing)"),
        (b"", "this is not what risk train wrote"),
        (b"[" * 100_000, "this is not what risk train wrote"),
        (b'{"a":' * 100_000, "this is not what risk train wrote"),
        (b"\x80\x04\x95pickle", "this is not what risk train wrote"),
    ],
)
def test_what_is_no_model_is_one_clear_error(shared: Repo, content: bytes | None, what: str) -> None:
    shared.commit("Damage", {"risk.json": content})
    shared.commit("Change", {"src/auth/part2.py": "auth2 = 6\n"})
    with pytest.raises(InputError) as error:
        judge(shared)
    assert error.value.what.startswith(what)
    assert error.value.where == "risk.model = risk.json"
    assert "risk train -o" in error.value.mend
    assert "judged with --config FILE" in error.value.mend


@pytest.mark.parametrize("path", ["/etc/passwd", "../risk.json", "..", ".", "a\nb", "a\x00b"])
def test_a_path_that_leads_out_of_the_repository_is_refused(long: Repo, tmp_path: Path, path: str) -> None:
    config = tmp_path / "tidegate.toml"
    config.write_text(f"[risk]\nmodel = {json.dumps(path)}\n", encoding="utf-8")
    request = Request(Question(change="HEAD~1..HEAD"), stage=None, now=NOW, environment={}, config=config)
    with open_repository(long.path) as repository, pytest.raises(InputError, match="names no file of the repository"):
        assess(request, repository)


def test_a_path_may_begin_with_a_dot(shared: Repo) -> None:
    shared.commit("Say it otherwise", {"tidegate.toml": SETTINGS.replace("risk.json", "./risk.json")})
    shared.commit("Change", {"src/auth/part2.py": "auth2 = 6\n"})
    assert is_known(judge(shared).risk, "probability")


def test_the_first_commit_cannot_bring_its_own_model(known: bytes, tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    repo.write("risk.json", known)
    repo.git("add", "-A")
    config = tmp_path / "tidegate.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    request = Request(Question(staged=True), stage=None, now=NOW, environment={}, config=config)
    with open_repository(repo.path) as repository, pytest.raises(InputError, match="no commit yet"):
        assess(request, repository)


LIES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "another version": (lambda known: known.update(version=2), "version 2 is not read here"),
    "other features": (lambda known: known["model"].update(definitions=99), "features are of version 99"),
    "no number": (lambda known: known["model"].update(slope=1e308), "a number that is none"),
    "endless trees": (lambda known: _grow(known, "right", 0), "leads nowhere or back to itself"),
    "unknown feature": (lambda known: _grow(known, "feature", 900), "a feature that is not there"),
    "huge leaves": (lambda known: _grow(known, "value", 1e300), "a number that is none"),
    "short weights": (lambda known: known["model"]["parts"][0].update(weights=[1.0]), "differ in number"),
    "one feature twice": (lambda known: known["model"]["names"].__setitem__(1, "ns"), "differ in number"),
    "unordered ranks": (lambda known: known["model"].update(ranks=[3.0, 1.0]), "out of order"),
    "a share above one": (lambda known: known["model"].update(usual=5.0), "usual probability is none"),
    "negative counts": (lambda known: known["figures"].update(changes=-5), "Expected `int` >= 0"),
    "more repairs than changes": (lambda known: known["figures"].update(repaired=10**6), "contradict each other"),
    "a rate above one": (lambda known: known["habits"]["folders"].update({"src": [1, 5]}), "more repairs than changes"),
    "half a figure": (lambda known: known["evaluation"].update(auc=0.7, auc_low=None), "lacks its interval"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_model_that_no_training_writes_is_refused(known: bytes, name: str) -> None:
    change, what = LIES[name]
    document = msgspec.json.decode(known)
    change(document)
    with pytest.raises(InputError, match=what):
        decode(msgspec.json.encode(document), "risk.json")


def test_an_honest_model_is_not_refused(known: bytes) -> None:
    assert encode(decode(known, "risk.json")) == known


# What is kept beside the history


def _link(kept: Path) -> None:
    kept.rename(kept.with_name("elsewhere"))
    kept.symlink_to("elsewhere")


def _folder(kept: Path) -> None:
    kept.unlink()
    kept.mkdir()


def _other(kept: Path) -> None:
    kept.unlink()
    with closing(sqlite3.connect(kept)) as connection:
        connection.execute("CREATE TABLE notes (text)")


def _sparse(kept: Path) -> None:
    kept.unlink()
    with kept.open("wb") as file:
        file.truncate(10 << 30)


def _false(kept: Path) -> None:
    """Knowledge that is whole and says what no training says."""
    lie = b'{"version":1}'
    with closing(sqlite3.connect(kept)) as connection:
        connection.execute("UPDATE derived SET value = ?, sum = ? WHERE kind = 'knowledge'", (lie, zlib.crc32(lie)))
        connection.commit()


@pytest.mark.parametrize("poison", [_link, _folder, _other, _sparse, _false])
def test_a_poisoned_store_teaches_nothing(long: Repo, tmp_path: Path, poison: Callable[[Path], None]) -> None:
    repo = copied(long, tmp_path / "copy")
    folder = repo.path / ".git" / "tidegate" / "history"
    for name in ("history.db-wal", "history.db-shm"):
        (folder / name).unlink(missing_ok=True)
    poison(folder / "history.db")
    facts = judge(repo)
    assert reasons(facts.risk, "probability") == ["nothing learnt here yet (tidegate risk train)"]
    assert not is_known(facts.risk, "percentile")


# Always the same


def test_two_clones_two_runs_and_other_hash_seeds_say_the_same_to_the_bit(
    long: Repo, known: bytes, tmp_path: Path
) -> None:
    said = {_said(long), _said(long)}
    for seed in ("1", "2"):
        copy = clone(long, tmp_path / seed)
        program = str(Path(sys.executable).parent / "tidegate")
        env = {"PATH": os.environ["PATH"], "HOME": os.devnull, "PYTHONHASHSEED": seed}
        run = [program, "risk", "train", "--at", "HEAD~1", "-o", str(tmp_path / f"{seed}.json")]
        subprocess.run(run, cwd=copy.path, env=env, check=True, capture_output=True)
        said.add(_said(copy))
    assert len(said) == 1
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes() == known


# What an author may try


def test_a_date_in_the_future_teaches_nothing_and_hides_nothing(long: Repo, known: bytes, tmp_path: Path) -> None:
    """One commit of the year 9999 would make every young change look as if it had stood the test of time."""
    repo = clone(long, tmp_path / "clone")
    repo.clock = YEAR_2096
    repo.commit("Look ahead", {"src/page/part0.py": "page0 = 1\n"})
    with open_repository(repo.path) as repository:
        found = learn(repository, repository.resolve("HEAD"), Settings(), clock=lambda: long.clock + DAY)
    assert found.knowledge.at == long.clock + DAY
    assert found.knowledge.figures.matured - decode(known, "").figures.matured in (0, 1)
    assert found.past.frame.at.max() <= long.clock + DAY


def test_a_change_dated_in_the_future_is_taken_for_one_of_now(long: Repo, tmp_path: Path) -> None:
    repo = copied(long, tmp_path / "copy")
    asked = Request(Question(change="HEAD~1..HEAD"), stage=None, now=_rfc(repo.clock), environment={})

    def weights() -> dict[str, float]:
        with open_repository(repo.path) as repository:
            return {one.name: one.weight for one in assess(asked, repository).facts.risk.factors}

    honest = weights()
    repo.git("commit", "-q", "--amend", "--no-edit", env={"GIT_COMMITTER_DATE": f"{YEAR_2096} +0000"})
    assert weights() == honest


# Private


def _edited(repo: Repo, change: Any) -> bytes:
    known = json.loads((repo.path / "risk.json").read_bytes())
    change(known)
    return json.dumps(known).encode()


def _grow(known: dict[str, Any], field: str, number: float) -> None:
    trees = next(part["trees"] for part in known["model"]["parts"] if part["trees"]["feature"])
    trees[field][trees["roots"][0]] = number


def _said(repo: Repo) -> bytes:
    facts = judge(repo)
    return to_json((facts.risk, facts.history))


def _rfc(seconds: int) -> str:
    return moment_of(seconds)
