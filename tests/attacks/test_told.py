"""What an agent says of itself, and what a scenario of somebody else says of time."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.drill.places import shop
from tests.repos import Repo
from tidegate.agent.mcp.ask import Ask
from tidegate.agent.mcp.child import answer
from tidegate.agent.mcp.tools import find_tool, read_arguments
from tidegate.change.git import open_repository
from tidegate.drill.field import open_field
from tidegate.drill.make import new_drill
from tidegate.errors import InputError

NOW = "2026-06-01T00:00:00Z"


@pytest.mark.parametrize("tool", ["human", "Human", " ", "none", "Unknown", "\u200b", "\u2028x", "claude\u202e", "x\n"])
def test_an_agent_does_not_call_itself_a_person_or_nothing(tmp_path: Path, tool: str) -> None:
    repo = Repo.init(tmp_path / "work")
    repo.commit("Begin", {"a.py": "x = 1\n"})
    repo.write("a.py", "x = 1\nrecorded = compute(everything)\n")
    said = answer(Ask("declare_session", {"tool": tool, "session": "s"}, str(repo.path), True, NOW))
    assert said.document is None
    assert said.fault is not None
    assert not list((repo.path / ".git").rglob("journal-*"))


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("declare_session", {"tool": "claude", "session": "s\n"}),
        ("who_wrote", {"path": "a.py", "lines": "1\n"}),
        ("assess_change", {"base": "HEAD\n"}),
        ("explain_rule", {"id": "no-secrets\n"}),
        ("simulate_policy", {"policy": "\ud800"}),
        ("simulate_policy", {"policy": "x", "since": "90d\n"}),
        ("who_wrote", {"path": "\udcff.py"}),
    ],
)
def test_what_is_asked_is_one_line_of_whole_characters(name: str, given: dict[str, str]) -> None:
    tool = find_tool(name, write=True)
    assert tool is not None
    with pytest.raises(InputError) as refused:
        read_arguments(tool, given)
    assert refused.value.where == f"arguments of {name}"


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59Z", "9999-12-31T23:30:00+00:00", "0001-01-01T00:00:00+01:00"])
def test_a_scenario_is_of_a_time_that_can_be_told(tmp_path: Path, at: str) -> None:
    repo = shop(tmp_path / "shop")
    with open_repository(repo.path) as repository:
        scenario = replace(new_drill(repository, {}, pattern="retry-storm"), at=at)
        with pytest.raises(InputError), open_field(repository, scenario, {}):
            pass
