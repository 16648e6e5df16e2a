"""Which service is at the root, from its series and who calls whom."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from bench.production.petshop import rank_of, read_issues

from tidegate.errors import InputError
from tidegate.operate.services.cause import locate_cause
from tidegate.operate.services.unusual import MOST_SPREADS, read_services
from tidegate.telemetry.series import Series

CALLS = {"web": ["orders", "search"], "orders": ["stock", "pay"], "search": ["index", "search_remote"], "pay": ["web"]}
NAMES = ("web", "orders", "search", "stock", "pay", "index", "search_remote")


def one(service: str, metric: str, statistic: str, values: list[float]) -> Series:
    times = np.arange(float(len(values)))
    return Series(
        name=metric, labels={"service": service, "statistic": statistic}, times=times, values=np.array(values)
    )


def quiet(metric: str = "latency") -> list[Series]:
    dice = random.Random(3)
    level = 100.0 if metric == "availability" else 0.1
    spread = 0.2 if metric == "availability" else 0.004
    series = [one(name, metric, "Average", [dice.gauss(level, spread) for _ in range(100)]) for name in NAMES]
    return series + [one(name, "requests", "Sum", [100.0] * 100) for name in NAMES]


def trouble(worse: dict[str, float], metric: str = "latency") -> list[Series]:
    level = 100.0 if metric == "availability" else 0.1
    series = [
        one(name, metric, "Average", [level, level, level + worse.get(name, 0), level + worse.get(name, 0), level])
        for name in NAMES
    ]
    return series + [one(name, "requests", "Sum", [100.0] * 5) for name in NAMES]


def first(worse: dict[str, float], metric: str = "latency") -> str:
    return locate_cause("web", metric, trouble(worse, metric), quiet(metric), CALLS, ["search_remote"])[0].service


@pytest.mark.parametrize(
    ("worse", "root"),
    [
        ({"web": 0.5, "orders": 0.5, "stock": 0.5}, "stock"),
        ({"web": 0.5, "orders": 0.5}, "orders"),
        ({"web": 0.5}, "web"),
        ({"web": 0.5, "search": 0.5, "search_remote": 0.5}, "search"),
        ({"web": 0.5, "orders": 0.5, "stock": 0.03}, "orders"),
    ],
)
def test_the_root_is_where_the_time_is_lost(worse: dict[str, float], root: str) -> None:
    assert first(worse) == root


def test_the_root_is_where_requests_fail() -> None:
    assert first({"web": -9.0, "orders": -9.0, "pay": -9.0}, "availability") == "pay"


def test_the_answer_has_all_within_reach_once_and_says_why() -> None:
    found = locate_cause("orders", "latency", trouble({"pay": 0.5}), quiet(), {"orders": ["stock", "pay"]})
    assert sorted(suspect.service for suspect in found) == ["orders", "pay", "stock"]
    assert [reason.kind for reason in found[0].evidence] == ["unusual", "trail", "own"]
    assert found[0].evidence[0].says.startswith("latency Average left its usual by ")


def test_the_order_of_series_and_calls_changes_nothing() -> None:
    worse = {"web": 0.5, "orders": 0.5, "stock": 0.5}
    turned = {name: list(reversed(callees)) for name, callees in reversed(CALLS.items())}
    plain = locate_cause("web", "latency", trouble(worse), quiet(), CALLS)
    assert locate_cause("web", "latency", trouble(worse)[::-1], quiet()[::-1], turned) == plain


def test_a_series_that_never_moved_is_not_infinitely_unusual() -> None:
    still = [one("web", "errors", "Sum", [0.0] * 50)]
    found = read_services([one("web", "errors", "Sum", [0.0, 5.0])], still, "errors", ["web"])
    assert found["web"].spreads == MOST_SPREADS


def test_gaps_and_infinities_are_not_measured() -> None:
    broken = [one("web", "latency", "Average", [float("nan"), float("inf"), 0.1])]
    found = read_services(broken, quiet(), "latency", ["web", "elsewhere"])
    assert found["web"].spreads < 3
    assert found["web"].extra is None
    assert found["elsewhere"].spreads == 0


def test_a_metric_that_nothing_measures_is_refused() -> None:
    with pytest.raises(InputError, match="no series is named colour"):
        locate_cause("web", "colour", trouble({}), quiet(), CALLS)


def test_a_graph_of_many_paths_ends() -> None:
    layers = {f"l{n}_{k}": [f"l{n + 1}_{j}" for j in range(6)] for n in range(12) for k in range(6)}
    names = sorted({*layers, *(name for callees in layers.values() for name in callees)})
    bad = [one(name, "latency", "Average", [0.1, 9.0, 9.0]) for name in names]
    calm = [one(name, "latency", "Average", [0.1, 0.11] * 20) for name in names]
    assert len(locate_cause("l0_0", "latency", bad, calm, layers)) == len(names) - 5


def test_public_issues_of_the_training_half(data: Path) -> None:
    ranks = [rank_of(issue) for issue in read_issues(data / "prod" / "petshop")]
    assert len(ranks) == 20
    assert sum(rank == 1 for rank in ranks) >= 0.75 * len(ranks)
    assert sum(rank <= 3 for rank in ranks) >= 0.95 * len(ranks)
