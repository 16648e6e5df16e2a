"""Measures operate/detect: `python -m bench.production.detect [nab noise quiet young real delay movers speed]`.

`nab` needs TIDEGATE_DATA; with `NAB_CLONE=<a git clone of numenta/NAB>` the scorer is held against the published
scores of five detectors, file by file. The detector's settings were chosen on the development half as a whole;
threshold and quiet time are chosen anew without each group, and judged on it.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import itertools
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from bench.production import nab
from bench.production.quiet import DAY, Floats, noise, series, service
from tidegate.operate.detect.changepoints import change_points
from tidegate.operate.detect.movers import first_movers
from tidegate.operate.detect.regression import Budget, Watched
from tidegate.operate.detect.stream import THRESHOLD, Detector, anomalies, anomaly_scores, season
from tidegate.operate.detect.watch import watch
from tidegate.rollout.values import Deployment
from tidegate.telemetry.series import Series

SERVICES = int(os.environ.get("SERVICES", "20"))
WEEKS = int(os.environ.get("WEEKS", "200"))


def measure_nab() -> None:
    corpus = nab.read(nab.folder())
    started = time.process_time()
    scores = [anomaly_scores(one.series) for one in corpus]
    spent = time.process_time() - started
    points = sum(len(one.series.values) for one in corpus)
    print(f"NAB, {len(corpus)} series, {points:,} points, {points / spent:,.0f} points a second")
    for name, profile in (("standard", nab.STANDARD), ("low FP", nab.LOW_FP), ("low FN", nab.LOW_FN)):
        fixed = nab.score(corpus, scores, threshold=1e-9, profile=profile)
        swept, _ = nab.best(corpus, scores, profile=profile)
        print(f"  {name:9} {fixed.normal:5.1f} as it is, {swept.normal:5.1f} at its best threshold  {fixed}")
    for group in sorted({one.group for one in corpus}):
        part = [(one, given) for one, given in zip(corpus, scores, strict=True) if one.group == group]
        print(f"    {group:24}{_standard(part)}")
    print(f"  each group left out in turn: {_left_out(corpus):.1f}  (rolling z-score 38.8, prototype 52.9, best 74.9)")
    if clone := os.environ.get("NAB_CLONE"):
        _against_published(corpus, clone)


def measure_noise() -> None:
    random = np.random.default_rng(7)
    print("change points, 1,000 series of 1,000 points: share with a false one; recall of a step of 1.5 sd within 25")
    for phi in (0.0, 0.3, 0.6, 0.8):
        false = sum(bool(change_points(_plain(noise(random, 1000, phi=phi)))) for _ in range(1000))
        found = 0
        for _ in range(300):
            values, place = noise(random, 1000, phi=phi), int(random.integers(100, 900))
            values[place:] += 1.5
            found += any(abs(one.index - place) <= 25 for one in change_points(_plain(values)))
        print(
            f"  phi {phi}: false {false / 1000:.3f}, recall {found / 300:.3f}  (Otava false .45, 1.0, 1.0 at 0, .3, .6)"
        )


def measure_quiet() -> None:
    """Twenty watches a week of each quiet service; half of the services have heavy tails."""
    count: Counter[str] = Counter()
    started = time.process_time()
    for seed in range(WEEKS):
        metrics = service(seed, step=15.0, span=8 * DAY, heavy=seed % 2 == 1)
        for at in np.sort(np.random.default_rng(10**6 + seed).uniform(DAY, 8 * DAY - 3600, 20)):
            deployment = _deployment(metrics[0].service, float(at))
            count.update(one.status for one in watch(deployment, metrics, now=float(at) + 3600))
    print(f"{WEEKS} quiet service-weeks, 15-s scrapes, 20 watches of 4 metrics each: {dict(sorted(count.items()))}")
    print(f"  {count['suspected'] / WEEKS:.3f} false alarms a service and week, budget {Budget().alarms_per_week}")
    print(f"  {(time.process_time() - started) / WEEKS / 80 * 1e3:.1f} ms CPU a metric and watch")


def measure_young() -> None:
    """Services whose past is shorter than a day."""
    for history in (600.0, 3600.0, 6 * 3600.0, 15 * 3600.0):
        count: Counter[str] = Counter()
        for seed in range(500):
            metrics = service(seed, step=15.0, span=history + 3600, heavy=seed % 2 == 1)
            answers = watch(_deployment(metrics[0].service, history), metrics, now=history + 3600)
            count["raised"] += any(one.status == "suspected" for one in answers)
        print(f"{history / 60:.0f} min of history: {count['raised'] / 500:.2%} of 500 watches raise, allowed 0.50%")


def measure_real() -> None:
    """Deployments that never were, at 60 moments of each series of the benchmark, outside of its labelled windows."""
    corpus = nab.read(nab.folder())
    for span in (3600.0, 14_400.0):
        budget = Budget(span=span)
        count: Counter[str] = Counter()
        for one in corpus:
            times = one.series.times
            moments = np.random.default_rng(1).uniform(times[0] + 1.2 * DAY, max(times[-1] - span, times[0]), 60)
            for at in moments[moments <= times[-1] - span]:
                if any(times[first] - span <= at <= times[last] for first, last in one.windows):
                    continue
                watched = Watched(service="s", metric="m", series=one.series, direction="either", tolerance=0.0)
                (answer,) = watch(_deployment("s", float(at)), [watched], now=float(at) + span, budget=budget)
                count[answer.status] += 1
        share = count["suspected"] / count.total()
        print(
            f"real series, {span / 3600:g} h after nothing: {share:.2%} of {count.total()} watches raise, allowed 0.50%"
        )


def measure_delay() -> None:
    """A step 5 minutes after the deployment, seen by a watch at each scrape, and by a rule over 5 minutes `for: 2m`."""
    print(f"median delay in samples (seconds), {SERVICES} services each; rule: over 5 min, above the bar for 2 min")
    faults: dict[str, Callable[[Watched, float], Watched]] = {
        "10 % errors": lambda one, at: _faulty(one, at, errors=0.1),
        "2 % errors": lambda one, at: _faulty(one, at, errors=0.02),
        "latency x2": lambda one, at: _faulty(one, at, factor=2.0),
        "latency x1.5": lambda one, at: _faulty(one, at, factor=1.5),
    }
    for step in (1.0, 10.0, 15.0):
        for name, fault in faults.items():
            ours, rule = zip(*(_delays(seed, step, name, fault) for seed in range(SERVICES)), strict=True)
            missed = sum(not np.isfinite(one) for one in ours)
            print(
                f"  {step:3.0f}-s scrapes, {name:13} watch {_median(ours, step)}, rule {_median(rule, step)};"
                f" missed {missed}"
            )


def measure_movers() -> None:
    random = np.random.default_rng(2)
    right, sure, covered = [], [], []
    for _ in range(200):
        parts, onsets = [], []
        for number in range(8):
            step = float(random.choice([10, 15, 60]))
            times = np.arange(0.0, 3600.0, step) + random.uniform(0, step)
            onset = 1800.0 + 60 * number + random.uniform(-20, 20) if number < 6 else np.inf
            values = noise(random, len(times)) + np.where(times >= onset, random.uniform(3, 8), 0.0)
            parts.append(Series(name=str(number), labels={}, times=times, values=values))
            onsets.append(onset)
        movers = first_movers(parts, start=0.0, end=3600.0)
        right.append(bool(movers) and int(movers[0].name) == int(np.argmin(onsets)))
        sure.append(movers[0].first if movers else 0.0)
        covered += [one.earliest <= onsets[int(one.name)] <= one.latest for one in movers]
    high = np.array(sure) >= 0.8
    print(f"first mover of 8 series (6 move, a minute apart by 20 s, 3 to 8 sd): right {np.mean(right):.2f}")
    print(f"  said {np.mean(sure):.2f}; where .8 or more is said, {np.mean(np.array(right)[high]):.2f} of {high.sum()}")
    print(f"  the true moment is in the range of 90 % in {np.mean(covered):.2f}")


def measure_speed() -> None:
    random = np.random.default_rng(1)
    long = _plain(noise(random, 200_000, phi=0.6))
    print(f"detector, 200,000 points: {200_000 / _seconds(lambda: anomalies(long), 1):,.0f} points a second")
    for count in (1000, 5000):
        values = noise(random, count, phi=0.3)
        values[count // 2 :] += 2.0
        print(f"change points, n={count}: {_seconds(lambda v=values: change_points(_plain(v)), 20) * 1e3:.1f} ms")
        if importlib.util.find_spec("ruptures"):
            import ruptures

            for name, search in (
                ("Pelt l2", lambda v: ruptures.Pelt(model="l2", min_size=6).fit(v).predict(pen=40)),
                ("Binseg l2", lambda v: ruptures.Binseg(model="l2", min_size=6).fit(v).predict(pen=40)),
                ("KernelCPD linear", lambda v: ruptures.KernelCPD(kernel="linear", min_size=6).fit(v).predict(pen=40)),
            ):
                print(f"  ruptures {name}: {_seconds(lambda s=search, v=values: s(v), 1) * 1e3:.1f} ms")


# Private


def _standard(part: Sequence[tuple[nab.Labelled, Floats]]) -> str:
    made = nab.score([one for one, _ in part], [given for _, given in part], threshold=1e-9, profile=nab.STANDARD)
    return (
        f"{made.normal:6.1f}  {made.found} of {made.windows} windows, {made.false} false"
        if made.windows
        else f"{made.false} false"
    )


def _left_out(corpus: Sequence[nab.Labelled]) -> float:
    """The threshold and the quiet time are those that serve the other groups best."""
    table = {
        setting: [_alarms(one, *setting) for one in corpus]
        for setting in itertools.product((1.0, 1.125, THRESHOLD, 1.5, 1.75, 2.0), (50, 100, 150, 200))
    }

    total, windows = 0.0, 0
    for group in sorted({one.group for one in corpus}):
        inside = [one.group == group for one in corpus]
        outside = [not flag for flag in inside]
        chosen = max(table, key=lambda setting, keep=outside: _judged(corpus, table[setting], keep).normal)
        made = _judged(corpus, table[chosen], inside)
        raw = sum(
            nab.raw_score(one, given >= 0.5, nab.STANDARD)[0]
            for one, given, keep in zip(corpus, table[chosen], inside, strict=True)
            if keep
        )
        shown = f"{made.normal:5.1f}" if made.windows else f"{made.false} false"
        print(f"    without {group:24} threshold {chosen[0]}, quiet {chosen[1]:3}: {shown} on it")
        total, windows = total + raw + made.windows, windows + made.windows
    return 100.0 * total / (2.0 * windows)


def _judged(corpus: Sequence[nab.Labelled], scores: Sequence[Floats], keep: Sequence[bool]) -> nab.Score:
    part = [(one, given) for one, given, kept in zip(corpus, scores, keep, strict=True) if kept]
    return nab.score([one for one, _ in part], [given for _, given in part], threshold=0.5, profile=nab.STANDARD)


def _alarms(one: nab.Labelled, threshold: float, quiet: int) -> Floats:
    marks = np.zeros(len(one.series.values))
    detector = Detector(season(one.series.times), threshold=threshold, quiet=quiet)
    for alarm in detector.push(one.series.times, one.series.values):
        marks[alarm.index] = 1.0
    return marks


def _against_published(corpus: Sequence[nab.Labelled], clone: str) -> None:
    for detector in ("numenta", "contextOSE", "ARTime", "knncad", "windowedGaussian"):
        told = {row["File"]: row for row in _rows(clone, f"results/{detector}/{detector}_standard_scores.csv")}
        worst, scores = 0.0, []
        for one in corpus:
            group, _, file = one.name.partition("/")
            rows = _rows(clone, f"results/{detector}/{group}/{detector}_{file}")
            scores.append(np.array([float(row["anomaly_score"]) for row in rows]))
            alarms = scores[-1] >= float(told[one.name]["Threshold"])
            worst = max(worst, abs(nab.raw_score(one, alarms, nab.STANDARD)[0] - float(told[one.name]["Score"])))
        made = nab.score(corpus, scores, threshold=float(told[corpus[0].name]["Threshold"]), profile=nab.STANDARD)
        print(
            f"  published {detector:17}{made.normal:5.1f} on this half; its file scores differ from ours by {worst:.0e}"
        )


def _rows(clone: str, path: str) -> list[dict[str, str]]:
    text = subprocess.run(
        ["git", "-C", clone, "show", f"HEAD:{path}"], capture_output=True, text=True, check=True
    ).stdout
    return list(csv.DictReader(io.StringIO(text)))


def _plain(values: Floats) -> Series:
    return series(np.arange(len(values), dtype=float), values)


def _deployment(name: str, at: float) -> Deployment:
    return Deployment(id="d", environment="production", service=name, status="succeeded", started=at)


def _faulty(one: Watched, at: float, *, errors: float = 0.0, factor: float = 1.0) -> Watched:
    times, values = one.series.times, one.series.values.copy()
    late = times >= at
    if one.metric == "errors" and errors and one.requests is not None:
        served = one.requests.values[late]
        values[late] = np.random.default_rng(5).binomial(served.astype(int), errors) / np.maximum(served, 1.0)
    if one.metric in ("p50", "p95"):
        values[late] *= factor
    return Watched(
        service=one.service,
        metric=one.metric,
        kind=one.kind,
        direction=one.direction,
        series=series(times, values),
        requests=one.requests,
    )


def _delays(seed: int, step: float, name: str, fault: Callable[[Watched, float], Watched]) -> tuple[float, float]:
    """Seconds from the fault to the first answer that suspects, and to the rule's alert."""
    at = DAY + 7 * 3600.0
    metrics = [fault(one, at + 300) for one in service(seed, step=step, span=at + 1800)]
    answers = watch(_deployment(metrics[0].service, at), metrics, now=at + 1800)
    raised = [one.raised_at for one in answers if one.status == "suspected" and one.raised_at is not None]
    seen = min(raised, default=np.inf) - at - 300
    watched = metrics[0] if "errors" in name else metrics[2]
    return seen if seen >= 0 else np.inf, _rule(watched, at + 300)


def _rule(one: Watched, at: float) -> float:
    """The mean of 5 minutes over its bar for 2 minutes, judged every 15 s; errors 1 %, latency 1.25 times the day's."""
    times, values = one.series.times, one.series.values
    bar = 0.01 if one.kind == "rate" else 1.25 * float(np.median(values[times < at]))
    since = None
    for now in np.arange(at, at + 1500, 15.0):
        over = float(values[(times > now - 300) & (times <= now)].mean()) > bar
        since = (now if since is None else since) if over else None
        if since is not None and now - since >= 120.0:
            return float(now - at)
    return np.inf


def _median(delays: Sequence[float], step: float) -> str:
    middle = float(np.median(delays))
    return f"{middle / step + 1:4.0f} ({middle:.0f} s)" if np.isfinite(middle) else "never"


def _seconds(run: Callable[[], object], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - started) / times


MEASURES = {
    "nab": measure_nab,
    "noise": measure_noise,
    "quiet": measure_quiet,
    "young": measure_young,
    "real": measure_real,
    "delay": measure_delay,
    "movers": measure_movers,
    "speed": measure_speed,
}

if __name__ == "__main__":
    for each in sys.argv[1:] or MEASURES:
        MEASURES[each]()
