"""Simulated services: autocorrelated noise, a daily season, counts of errors; quiet, or with a step of a given size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from tidegate.operate.detect.regression import Watched
from tidegate.telemetry.series import Series

Floats = NDArray[np.float64]
DAY = 86_400.0


def service(seed: int, *, step: float, span: float, heavy: bool = False) -> tuple[Watched, ...]:
    """Four metrics of one service from time 0: error share, median and 95th percentile of latency, requests."""
    random = np.random.default_rng(seed)
    times = np.arange(step, span, step)
    daily = np.sin(2 * np.pi * times / DAY + random.uniform(0, 2 * np.pi))
    traffic = random.choice([5.0, 20.0, 80.0]) * step * (1.0 + 0.5 * daily) * np.exp(0.1 * noise(random, len(times)))
    requests = random.poisson(traffic).astype(float)
    share = random.choice([0.0005, 0.001, 0.005])
    errors = random.binomial(requests.astype(int), share) / np.maximum(requests, 1.0)
    name = f"service-{seed}"
    median = latency(random, daily, heavy=heavy)
    high = 3.0 * median * np.exp(0.15 * noise(random, len(times), heavy=heavy))
    return (
        Watched(service=name, metric="errors", series=series(times, errors), requests=series(times, requests)),
        Watched(service=name, metric="p50", series=series(times, median), kind="latency"),
        Watched(service=name, metric="p95", series=series(times, high), kind="latency"),
        Watched(service=name, metric="requests", series=series(times, requests), kind="count", direction="either"),
    )


def latency(random: np.random.Generator, daily: Floats, *, heavy: bool) -> Floats:
    level = 0.12 * (1.0 + 0.3 * daily)
    return np.asarray(level * np.exp(0.08 * noise(random, len(daily), heavy=heavy)))


def noise(random: np.random.Generator, count: int, *, phi: float | None = None, heavy: bool = False) -> Floats:
    """A first-order autoregression of variance 1, phi by lot 0, .3, .6 or .8; heavy: Student's t with 3 degrees."""
    if phi is None:
        phi = float(random.choice([0.0, 0.3, 0.6, 0.8]))
    drawn = random.standard_t(3, count + 100) if heavy else random.standard_normal(count + 100)
    return np.asarray(lfilter([1.0], [1.0, -phi], drawn)[100:] * np.sqrt(1 - phi**2))


def series(times: Floats, values: Floats) -> Series:
    return Series(name="", labels={}, times=times, values=values)
