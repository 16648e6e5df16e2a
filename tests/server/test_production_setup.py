"""The file that says where production is measured, and what follows from it without asking anybody."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tidegate.errors import InputError
from tidegate.server.production.setup import USUAL, read_production
from tidegate.server.production.watching import distances, without
from tidegate.telemetry.series import Series

CALLS = [("front", "checkout"), ("checkout", "payments"), ("checkout", "cart"), ("batch", "payments")]


def test_a_short_file_is_enough(tmp_path: Path) -> None:
    (tmp_path / "production.toml").write_text('prometheus = "http://127.0.0.1:9090"\n')

    found = read_production(tmp_path / "production.toml")

    assert found.metric == USUAL
    assert found.watches("anything")
    assert found.fill("rate(x[{window}])") == "rate(x[45s])"


def test_the_history_fits_into_one_answer(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('prometheus = "http://p"\nstep = 1\nhistory = 1209600\nwatch = 3600\n')

    found = read_production(tmp_path / "p.toml")

    assert (found.reads + found.watch) / found.step <= 11_000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "prometheus"),
        ('prometheus = "ftp://p"', "prometheus"),
        ('prometheus = "http://p"\nstep = 0', "step"),
        ('prometheus = "http://p"\nstepp = 1', "stepp"),
        ('prometheus = "http://p"\n[trust]\nlow = []', "trust.low"),
        ('prometheus = "http://p"\n[trust]\nlow = ["anybody"]', "trust.low"),
        ('prometheus = "http://p"\n[trust]\nlowest = ["told"]', "lowest"),
        ('prometheus = "http://p"\n[[metric]]\nname = "a"', "query"),
        ('prometheus = "http://p"\n[[metric]]\nname = "a"\nquery = "x"\nkind = "speed"', "kind"),
        ('prometheus = "http://p"\n' + '[[metric]]\nname = "a"\nquery = "x"\n' * 2, "two metrics"),
        ("prometheus = ", ""),
        ('prometheus = "http://p"\n\xff', ""),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "production.toml").write_bytes(text.encode("latin-1"))

    with pytest.raises(InputError) as caught:
        read_production(tmp_path / "production.toml")

    assert says in caught.value.what
    assert "production.toml" in caught.value.where


def test_a_file_that_is_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_production(tmp_path / "none.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * (2 << 20))
    with pytest.raises(InputError, match="too large"):
        read_production(tmp_path / "large.toml")


def test_reach_goes_up_the_calls() -> None:
    assert distances("payments", CALLS) == {"payments": 0, "checkout": 1, "batch": 1, "front": 2}
    assert distances("front", CALLS) == {"front": 0}
    assert distances("a", [("a", "b"), ("b", "a")]) == {"a": 0, "b": 1}


def test_what_was_wrong_is_left_out_of_the_past_only() -> None:
    series = Series(name="x", labels={}, times=np.arange(100.0), values=np.arange(100.0))

    left = without(series, [(10, 19), (80, 90)], until=85)

    assert list(left.times) == [*range(10), *range(20, 80), *range(86, 100)]
    assert without(series, [], until=85) is series
