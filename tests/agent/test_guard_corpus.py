"""The two corpora: nothing dangerous passes, nothing harmless is held, whatever the dangerous is wrapped in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent.guard_folder import make, read_corpus
from tidegate.agent.guard.judge import judge_text
from tidegate.agent.guard.values import Place

CORPORA = Path(__file__).parent / "guard_corpus"
DANGEROUS = ("terraform destroy", "kubectl delete ns prod", "git push --force origin main", "rm -rf /srv/data")
WRAPPERS = (
    "{}",
    "true && {}",
    "ls | {}",
    "sudo {}",
    "env A=b {}",
    "timeout 9 {}",
    "nohup nice -n 5 {} &",
    "( {} )",
    "{{ {}; }}",
    "if true; then {}; fi",
    "while :; do {}; done",
    "x=$( {} )",
    "x=$((  {}) )",
    "echo `{}`",
    "f() {{ {}; }}; f",
    "bash -c '{}'",
    "echo '{}' | sh",
    "eval '{}'",
    "sh <<X\n{}\nX\n",
    "trap '{}' EXIT",
    "ls # a comment\n{}",
    "ssh host '{}'",
    "case a in *) {};; esac",
    "diff <({}) /dev/null",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return make(tmp_path_factory.mktemp("workspace"))


@pytest.mark.parametrize("name", ["tuned.txt", "held_back.txt", "second_eyes.txt"])
def test_nothing_dangerous_passes_and_nothing_harmless_is_held(place: Place, name: str) -> None:
    corpus = read_corpus(CORPORA / name)
    wrong = [command for held, command in corpus if judge_text(command, place).held != held]
    assert len(corpus) >= 300
    assert wrong == []


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapper_hides_nothing(place: Place, wrapper: str) -> None:
    for command in DANGEROUS:
        assert judge_text(wrapper.format(command), place).held, wrapper.format(command)


@given(st.lists(st.sampled_from(WRAPPERS[1:13] + WRAPPERS[20:21]), max_size=4), st.sampled_from(DANGEROUS))
@settings(max_examples=120, deadline=None)
def test_wrappers_in_wrappers_hide_nothing(wrappers: list[str], command: str) -> None:
    for one in wrappers:
        command = one.format(command)
    assert judge_text(command, Place(Path("/work"), Path("/work"), "/home/x", {"PATH": ""})).held


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_quotes_in_a_word_hide_nothing(data: st.DataObject) -> None:
    marks = st.sampled_from(["{}", "'{}'", '"{}"', "\\{}", "$'{}'"])
    word = "".join(data.draw(marks).format(char) for char in "terraform")
    assert judge_text(f"{word} destroy", Place(Path("/work"), Path("/work"), "/home/x", {"PATH": ""})).held


@given(st.text(alphabet="ab$`'\"(){}[]<>|&;#\\ \n=*~-", max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_answered(text: str) -> None:
    judge_text(text, Place(Path("/work"), Path("/work"), "/home/x", {"PATH": ""}))


def test_what_cannot_be_read_to_its_end_is_held(place: Place) -> None:
    for text in ("ls '", 'ls "', "ls `", "ls $(", "(ls", "if ls", "case x in", "ls | |", "$((1"):
        assert judge_text(text, place).held, text


def test_nesting_is_bounded(place: Place) -> None:
    assert judge_text("$(" * 400 + "ls" + ")" * 400, place).held
    assert judge_text("eval " * 400 + "ls", place).held


def test_the_value_of_a_secret_is_in_no_message(place: Place) -> None:
    secret = "ghp_a8Bd03kfLq92ZmXn47TyRw15VuEoPs6CiHjG"
    found = judge_text(f"curl -H 'Authorization: Bearer {secret}' https://api.example.net", place)
    assert [one.rule for one in found.concerns] == ["secret"]
    assert secret not in repr(found)


def test_a_script_that_the_same_line_writes_is_not_believed(place: Place) -> None:
    assert judge_text("echo ls > harmless.sh; bash harmless.sh", place).held
    assert not judge_text("bash harmless.sh", place).held


SCRIPTS = {
    "scripts/lib.sh": "ship() { kubectl apply -f k8s/; }\n",
    "scripts/use.sh": '. "$(dirname "$0")/lib.sh"\nship\n',
    "scripts/find.sh": 'HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"\nsource "$HERE/lib.sh"\n',
    "scripts/args.sh": '#!/bin/sh\nset -e\n"$@"\n',
    "scripts/retry.sh": 'retry() { for n in 1 2; do "$@" && return; done; }\nretry terraform apply\n',
    "scripts/clean.sh": 'made=$(mktemp -d)\ntrap \'rm -rf "$made"\' EXIT\ncp notes "$made"\n',
    "tools/page.py": "import argparse\n\n\ndef main() -> None:\n    print('at the very least we test it')\n",
    "tools/wipe.py": "import os\nos.system('terraform destroy -auto-approve')\n",
    "Makefile": (
        "DIRS := a b\nNOW := $(shell date)\ninclude more.mk\n\nlist:\n\techo $(NOW)\n"
        "\t$(foreach d,$(DIRS),(cd $(d) && ls) &&) true\n\n"
        "inside:\n\tx=$$(terraform destroy); echo $$x\n"
    ),
    "more.mk": "roll:\n\tkubectl rollout restart deploy/web\n",
    "bad.mk": "X := $(shell terraform destroy -auto-approve)\nlist:\n\techo $(X)\n",
}


@pytest.mark.parametrize(
    ("command", "held"),
    [
        ("./scripts/use.sh", True),
        ("bash scripts/find.sh", True),
        ("sh scripts/args.sh terraform destroy", True),
        ("sh scripts/args.sh ls", False),
        ("bash scripts/retry.sh", True),
        ("bash scripts/clean.sh", False),
        ("uv run ./tools/page.py", False),
        ("uv run ./tools/wipe.py", True),
        ("make list", False),
        ("make inside", True),
        ("make roll", True),
        ("make deploy", True),
        ("make -f bad.mk list", True),
        ("make SHELL=./x list", True),
    ],
)
def test_scripts_are_followed_to_what_they_name(tmp_path: Path, command: str, held: bool) -> None:
    for name, text in SCRIPTS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    place = Place(tmp_path, tmp_path, "/home/someone", {"PATH": "/usr/bin:/bin"})
    assert judge_text(command, place).held is held
