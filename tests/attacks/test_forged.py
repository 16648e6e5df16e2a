"""People, notes and texts that an attacker writes."""

from __future__ import annotations

import pytest

from tests.attacks.lab import BY_CLAUDE, Lab, lab
from tests.repos import Repo, build

__all__ = ["lab"]

CODE = "".join(f"x{n} = {n}\n" for n in range(30))


def test_a_note_does_not_make_a_declared_agents_lines_human(lab: Lab) -> None:
    script = "commit Change it\n  trailer Co-authored-by: Claude <noreply@anthropic.com>\n  file shop/x.py\n"
    lab.start()
    attested: Repo = build(lab.repo.path.parent / "forge", script + "".join(f"    h x{n} = {n}\n" for n in range(30)))
    note = attested.git("notes", "--ref=ai", "show", "HEAD")
    commit = lab.attack({"shop/x.py": CODE})
    lab.repo.note(commit, note.replace(attested.head(), commit))
    answer = lab.check()
    assert answer.facts["provenance"]["lines"]["ai"] == 30
    assert answer.facts["provenance"]["conflicts"][0]["claims"][0]["writer"] == "human"
    assert "ai-changes-carry-tests" in answer.rules


@pytest.mark.parametrize("space", ["", " ", "\t"])
def test_a_trailer_counts_as_git_reads_it(lab: Lab, space: str) -> None:
    lab.start()
    lab.attack({"shop/x.py": "x = 1\n"}, f"Change it\n\nCo-authored-by:{space}Claude <noreply@anthropic.com>")
    assert lab.check().facts["provenance"]["lines"]["ai"] == 1


@pytest.mark.parametrize(
    "identity",
    [
        "x <49699333+dependabot[bot]@users.noreply.github.com>",
        "x <evil[bot]@users.noreply.github.com>",
        "x <action@github.com>",
        "GitHub <noreply@github.com>",
    ],
)
def test_whoever_commits_as_an_app_cannot_approve_it_themselves(lab: Lab, identity: str) -> None:
    lab.start()
    lab.attack({"shop/x.py": "x = 1\n"}, "Bump it", author=identity, committer=identity)
    assert lab.check(approved_by="alice").rules == ("no-self-approval",)


@pytest.mark.parametrize(
    "text", ["x = " + "1" * 5000, "a." * 100_000 + "a = 1", "x = " + "[" * 50_000, "x = 1979-99-99"]
)
def test_a_pyproject_that_cannot_be_read_is_a_change_of_policy(lab: Lab, text: str) -> None:
    lab.start()
    lab.attack({"pyproject.toml": f"{text}\n"}, BY_CLAUDE)
    answer = lab.check()
    assert answer.facts["change"]["policy_files"] == ["pyproject.toml"]
    assert "policy-changes-need-owners" in answer.rules
