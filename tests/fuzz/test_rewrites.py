"""Whatever git does to unique lines, no line of main is ever given to somebody who did not write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.oracle import Score, run_sequence

SEEDS = range(24)


@pytest.fixture(scope="module", autouse=True)
def _report() -> object:
    """Says at the end what was found and what was lost, by operation (pytest -rP shows it)."""
    score = Score()
    yield score
    print(f"\nrewrite fuzzer: {score}")
    if score.sequences == len(SEEDS):
        assert score.found > 0.9 * (score.found + score.lost), str(score)
        assert score.recovered > 100, "recovery found next to nothing: the fuzzer proves nothing"


@pytest.mark.parametrize("seed", SEEDS)
def test_no_line_is_misattributed(tmp_path: Path, seed: int, _report: Score) -> None:
    score = run_sequence(tmp_path, seed)
    _report.add(score)
    assert score.wrong == []
