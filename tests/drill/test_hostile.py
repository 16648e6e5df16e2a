"""Scenarios and repositories of others: bounded, one clear error, nothing that acts on a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drill.places import FILES
from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.drill.after import report_of
from tidegate.drill.make import new_drill, read_offers
from tidegate.drill.markdown import render_markdown
from tidegate.drill.patterns import PATTERNS
from tidegate.drill.play import beats
from tidegate.drill.reading import LARGEST_BYTES, read_answers, read_scenario
from tidegate.drill.text import render_begin, render_inject, render_made, render_offers, render_question, render_report
from tidegate.drill.values import Inject, Scenario
from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.report.style import PLAIN


@pytest.fixture(scope="module")
def plain_scenario(the_shop: Repo) -> Scenario:
    with open_repository(the_shop.path) as repository:
        return new_drill(repository, {}, pattern="retry-storm")


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@given(content=st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
@settings(max_examples=25, deadline=None)
def test_any_bytes_are_refused_with_one_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = write(tmp_path_factory.getbasetemp() / "any.json", content)
    with pytest.raises(InputError):
        read_scenario(file)


def changes() -> dict[str, Any]:
    return {
        "unknown field": {"extra": 1},
        "another schema": {"schema": "tidegate.drill/2"},
        "a negative seed": {"seed": -1},
        "a seed that is no number": {"seed": "1"},
        "a revision that is an option": {"revision": "--upload-pack=x"},
        "no injects": {"injects": []},
        "too many injects": {"injects": [{"minute": 0, "role": "on-call", "kind": "alert", "text": "x"}] * 61},
        "a role of its own": {"injects": [{"minute": 0, "role": "root", "kind": "alert", "text": "x"}]},
        "a minute without end": {"injects": [{"minute": 10**9, "role": "on-call", "kind": "alert", "text": "x"}]},
        "a long story": {"story": "x" * 2_001},
        "null": {"truth": None},
    }


@pytest.mark.parametrize("name", changes())
def test_what_does_not_fit_is_refused(tmp_path: Path, plain_scenario: Scenario, name: str) -> None:
    table = json.loads(to_json(plain_scenario)) | changes()[name]
    with pytest.raises(InputError, match="this is no scenario of a drill"):
        read_scenario(write(tmp_path / "s.json", json.dumps(table).encode()))


def test_large_deep_and_missing_files_are_refused(tmp_path: Path) -> None:
    for content in (b" " * (LARGEST_BYTES + 1), b"[" * 200_000, b'{"schema":' * 50_000):
        with pytest.raises(InputError):
            read_scenario(write(tmp_path / "s.json", content))
    with pytest.raises(InputError, match="cannot be read"):
        read_scenario(tmp_path / "none.json")


def test_two_of_one_id_are_refused(tmp_path: Path, plain_scenario: Scenario) -> None:
    table = json.loads(to_json(plain_scenario))
    table["decisions"].append(table["decisions"][0])
    with pytest.raises(InputError, match="two of its decisions have one id"):
        read_scenario(write(tmp_path / "s.json", json.dumps(table).encode()))
    table = json.loads(to_json(plain_scenario))
    table["decisions"][0]["options"].append(table["decisions"][0]["options"][0])
    with pytest.raises(InputError, match="two options"):
        read_scenario(write(tmp_path / "s.json", json.dumps(table).encode()))


def test_answers_to_what_nobody_asked_are_refused(tmp_path: Path, plain_scenario: Scenario) -> None:
    def answers(*given: Mapping[str, object]) -> Path:
        table = {"schema": "tidegate.drill-answers/1", "answers": list(given)}
        return write(tmp_path / "a.json", json.dumps(table).encode())

    one = {"decision": "call", "given": "a"}
    assert len(read_answers(answers(one), plain_scenario).answers) == 1
    for bad in (answers({"decision": "lunch", "given": "a"}),):
        with pytest.raises(InputError, match="no decision lunch"):
            read_answers(bad, plain_scenario)
    with pytest.raises(InputError, match="answered twice"):
        read_answers(answers(one, one), plain_scenario)
    with pytest.raises(InputError):
        read_answers(answers({**one, "seconds": -1}), plain_scenario)


def test_a_scenario_survives_its_file(tmp_path: Path, plain_scenario: Scenario) -> None:
    assert read_scenario(write(tmp_path / "s.json", to_json(plain_scenario))) == plain_scenario


def test_no_text_of_a_hostile_repository_acts(tmp_path: Path) -> None:
    """Escapes, overrides, commands of CI logs and markup in subjects, owners and file names."""
    evil = "\x1b[2J\u202e ::error:: ##[group]x <script>alert(1)</script> [a](http://e) {users}"
    repo = Repo.init(tmp_path / "evil")
    files: dict[str, str | bytes | None] = {
        **FILES,
        "shop/\x1b[31mred.py": "max_retries = 3\n",
        "shop/{path}.py": "max_retries = 4\n",
        "shop/latin.py": b"max_retries = 5 # \xff\n",
        "shop/nul.py": b"max_retries = 5 \0\n",
        "shop/long.py": "max_retries = 3 " + "x" * 200_000 + "\n",
        "CODEOWNERS": f"* @shop/{evil}\n",
    }
    repo.commit(evil, files)
    repo.commit(f"{evil} again", {"shop/other.py": "x = 1\n"})
    with open_repository(repo.path) as repository:
        offers = read_offers(repository, 0, {})
        scenario = new_drill(repository, {}, pattern="retry-storm")
    report = report_of(scenario, {}, evil, None)
    shown = [render_offers(offers, evil, PLAIN), render_made(scenario, PLAIN), render_begin(scenario, PLAIN)]
    shown += [
        render_inject(one, PLAIN) if isinstance(one, Inject) else render_question(one, PLAIN) for one in beats(scenario)
    ]
    shown += [render_report(report, PLAIN), render_markdown(report)]
    for text in shown:
        assert all(character.isprintable() or character == "\n" for character in text.replace("\u200b", ""))
        assert not any(line.lstrip().startswith("::") for line in text.split("\n"))
        assert "##[" not in text
    page = render_markdown(report).split("````")
    assert "<script>" not in "".join(page[::2])
    assert len(offers) == len(PATTERNS) or len(offers) > 10
