"""Whatever git does to recorded lines, none is given to somebody who did not write it, and next to none is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agent.hooked import play_hooked
from tests.fuzz import oracle


@pytest.mark.parametrize("first", [0, 2])
def test_recorded_lines_survive_rewrites(
    tmp_path: Path, first: int, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    monkeypatch.setattr(oracle, "play", play_hooked)
    score = oracle.Score()
    for seed in range(first, first + 2):
        score.add(oracle.run_sequence(tmp_path / str(seed), seed))
    record_property("summary", f"recorder on rewrites, seeds {first} to {first + 1}: {score}")
    assert score.wrong == []
    assert score.lost == 0, str(score)
    assert score.found > 10, "next to nothing was recorded, so this proved nothing"
