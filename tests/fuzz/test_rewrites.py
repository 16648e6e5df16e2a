"""Whatever git does to unique lines, no line of main is ever given to somebody who did not write it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz.oracle import Score, run_sequence


@pytest.mark.parametrize("first", range(0, 24, 6))
def test_no_line_is_misattributed(tmp_path: Path, first: int, record_property: Callable[[str, object], None]) -> None:
    score = Score()
    for seed in range(first, first + 6):
        score.add(run_sequence(tmp_path / str(seed), seed))
    record_property("summary", f"rewrite fuzzer, seeds {first} to {first + 5}: {score}")
    assert score.wrong == []
    assert score.found > 0.6 * (score.found + score.lost), str(score)
    assert score.recovered > 20, "recovery found next to nothing, so this proved nothing"
