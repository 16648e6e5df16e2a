"""`tidegate canary judge`, its document, its sources and what it shows."""

from __future__ import annotations

import json
import math
import random
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tidegate.errors import InputError
from tidegate.report.style import Style
from tidegate.rollout.canary.document import parse_document
from tidegate.rollout.canary.page import render_judgement_html
from tidegate.rollout.canary.plot import PLOT_STYLE, plot_svg, sparkline
from tidegate.rollout.canary.sequential import judge
from tidegate.rollout.canary.sources import choose_series, read_otlp
from tidegate.rollout.canary.text import render_judgement_text
from tidegate.telemetry.csv import read_csv

Command = Callable[..., subprocess.CompletedProcess[str]]
START = 1_795_255_200  # 2026-11-21T10:00:00Z
DOCUMENT = """
[[metric]]
name = "latency_p95"
canary = "p95 canary"
baseline = "p95 base"

[[metric]]
name = "errors"
kind = "count"
canary = "failed canary"
canary_requests = "requests canary"
baseline = "failed base"
baseline_requests = "requests base"
"""
KAYENTA = {
    "metrics": [
        {"name": "latency_p95", "groups": ["l"], "analysisConfigurations": {"canary": {"direction": "increase"}}},
        {"name": "errors", "groups": ["e"], "analysisConfigurations": {"canary": {"direction": "increase"}}},
    ],
    "classifier": {"groupWeights": {"l": 50, "e": 50}, "scoreThresholds": {"pass": 90, "marginal": 40}},
}


@pytest.mark.parametrize(("factor", "decision", "code"), [(1.0, "PROMOTE", 0), (1.5, "ROLL BACK", 1)])
def test_the_command_says_it_and_exits_so(
    tmp_path: Path, tidegate: Command, factor: float, decision: str, code: int
) -> None:
    _write(tmp_path, factor)
    done = tidegate("canary", "judge", "canary.toml", "--csv", "m.csv", "--start", "10m", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.startswith(f"{decision}  canary of 10 min, 2026-11-21 10:00:00 to 10:10:00 UTC\n")
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_text_is_what_a_person_reads(tmp_path: Path) -> None:
    _write(tmp_path, 1.5)
    document = parse_document((tmp_path / "canary.toml").read_bytes(), "canary.toml")
    measured = choose_series(document, read_csv(tmp_path / "m.csv"), "m.csv")
    judged = judge(measured, START, START + 600)
    text = render_judgement_text(judged, measured, Style(width=80, unicode=False))
    assert text.isascii()
    lines = text.splitlines()
    assert lines[2].startswith("  latency_p95: 0.1")
    assert "%" in lines[2]
    assert any(line.startswith("  errors") and "fine" in line for line in lines)
    assert lines[-1] == "and however often one looks. Nothing was executed."
    page = render_judgement_html(judged, measured)
    assert page.count("<svg") == 2
    assert "<script" not in page


def test_the_json_is_the_judgement(tmp_path: Path, tidegate: Command) -> None:
    _write(tmp_path, 1.5)
    command = ("canary", "judge", "canary.toml", "--csv", "m.csv", "--start", str(START), "--format", "json")
    done = tidegate(*command, cwd=tmp_path)
    found = json.loads(done.stdout)
    assert (found["schema"], found["decision"], found["judge"]) == ("tidegate.canary/1", "roll back", "sequential")
    assert tidegate(*command, cwd=tmp_path).stdout == done.stdout
    page = tidegate(*command[:-1], "html", "-o", "page.html", cwd=tmp_path)
    assert page.returncode == 1
    assert "Canary: roll back" in (tmp_path / "page.html").read_text()


def test_kayenta_judges_what_its_configuration_names(tmp_path: Path, tidegate: Command) -> None:
    _write(tmp_path, 1.5)
    (tmp_path / "kayenta.json").write_text(json.dumps(KAYENTA))
    command = ("canary", "judge", "canary.toml", "--csv", "m.csv", "--start", "10m", "--kayenta", "kayenta.json")
    done = tidegate(*command, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("HOLD")
    assert "Marginal: score 50, 90 passes, 40 is marginal" in done.stdout
    (tmp_path / "canary.toml").write_text(DOCUMENT.split('[[metric]]\nname = "errors"')[0])
    missing = tidegate(*command, cwd=tmp_path)
    assert missing.returncode == 2
    assert "a metric errors that the canary document does not measure" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("none.toml",), "none.toml: cannot be read"),
        (("canary.toml",), "nowhere to measure"),
        (("canary.toml", "--csv", "m.csv"), "when did the canary begin?"),
        (("canary.toml", "--csv", "m.csv", "--start", "soon"), "'soon' is no moment"),
        (("canary.toml", "--csv", "m.csv", "--start", "2000-01-01", "--end", "1"), "ends before it begins"),
        (("canary.toml", "--csv", "m.csv", "--otlp", "x.json", "--start", "10m"), "more than one source"),
        (("canary.toml", "--csv", "other.csv", "--start", "10m"), "no series p95 canary; there are: a"),
        (("canary.toml", "--prometheus", "http://127.0.0.1:1", "--start", "10m"), "metric latency_p95: "),
        (("canary.toml", "--csv", "m.csv", "--start", "10m", "--kayenta", "m.csv"), "no canary configuration"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, tidegate: Command, arguments: tuple[str, ...], says: str
) -> None:
    _write(tmp_path, 1.0)
    (tmp_path / "other.csv").write_text("time,a\n1,1\n2,2\n")
    done = tidegate("canary", "judge", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


# The document


def test_a_document_has_sensible_defaults() -> None:
    document = parse_document(b'start = 2026-11-21T10:00:00Z\nwarmup = "30s"\n' + DOCUMENT.encode(), "canary.toml")
    assert (document.start, document.step, document.history, document.warmup) == (START, 15.0, 3600.0, 30.0)
    latency, errors = (one.metric for one in document.questions)
    assert (latency.direction, latency.critical, latency.tolerance, latency.detect) == ("increase", True, 0.1, 0.5)
    assert (errors.kind, errors.detect) == ("count", 0.05)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no metric"),
        ("[[metric]", "not valid TOML"),
        ("step = 15" + DOCUMENT, "step"),
        ('step = "0s"' + DOCUMENT, "'0s' is no length of time"),
        ("error_rate = 2.0" + DOCUMENT, "error_rate 2"),
        ("error_rate = nan" + DOCUMENT, "error_rate nan"),
        ('start = "soon"' + DOCUMENT, "'soon' is no moment"),
        ("start = true" + DOCUMENT, "'True' is no moment"),
        (DOCUMENT + DOCUMENT, "two metrics are called latency_p95"),
        ('[[metric]]\nname = "a"\ncanary = "x"\nbaseline = "y"\ntolerence = 1', "did you mean tolerance?"),
        ('[[metric]]\nname = "a"\ncanary = "x"\nbaseline = ""', "nothing to compare"),
        ('[[metric]]\nname = ""\ncanary = "x"\nbaseline = "y"', "without a name"),
        ('[[metric]]\nname = "a"\ncanary = "x"\nbaseline = "y"\nkind = "count"', "without its requests"),
        ('[[metric]]\nname = "a"\ncanary = "x"\nbaseline = "y"\ntolerance = 0.6', "more than what is tolerated"),
        ('[[metric]]\nname = "a"\ncanary = "x"\nbaseline = "y"\ntolerance = nan', "tolerance nan"),
        ('[[metric]]\nname = "a"\ncanary = "x"\nbaseline = "y"\nkind = "rate"\ndetect = 1.0', "a decrease less than 1"),
        ('[[metric]]\nname = "a"\ncanary = "x"\nbaseline = "y"\ncanary_requests = "z"', "requests belong to a count"),
    ],
)
def test_a_slip_in_a_document_is_named(content: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_document(content.encode(), "canary.toml")
    assert says in str(caught.value)
    assert str(caught.value).startswith("canary.toml")


# Sources


def test_otlp_metrics_are_chosen_by_name_and_labels(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(_otlp({"a": 1.0, "b": 2.0, "c": 3.0})))
    content = '[[metric]]\nname = "m"\ncanary = \'load{pod="a"}\'\nbaseline = ["load{pod=\\"b\\"}", \'load{pod="c"}\']'
    document = parse_document(content.encode(), "canary.toml")
    (one,) = choose_series(document, read_otlp(path), str(path))
    assert [series.values[0] for series in (*one.canary, *one.baseline)] == [1.0, 2.0, 3.0]
    wrong = parse_document(content.replace('pod="a"', 'pod=~"a"').encode(), "canary.toml")
    with pytest.raises(InputError, match="only label="):
        choose_series(wrong, read_otlp(path), str(path))


def test_otlp_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text("{")
    with pytest.raises(InputError):
        read_otlp(path)


# Plots


def test_values_that_are_farther_apart_than_a_number_goes_are_drawn(tmp_path: Path) -> None:
    rows = [f"{START + 15 * at},{1e308 * (-1) ** at},{-1e308 * (-1) ** at}" for at in range(-240, 41)]
    (tmp_path / "m.csv").write_text("time,c,b\n" + "\n".join(rows))
    document = parse_document(b'[[metric]]\nname = "x"\ncanary = "c"\nbaseline = "b"\n', "canary.toml")
    measured = choose_series(document, read_csv(tmp_path / "m.csv"), "m.csv")
    judged = judge(measured, START, START + 600)
    drawn = plot_svg(measured[0], judged.metrics[0], START, START + 600)
    assert "nan" not in drawn.lower()
    assert {"▁", "█"} <= set(sparkline(measured[0], START, START + 600, 40)[0])


def test_a_plot_says_in_words_what_it_shows(tmp_path: Path) -> None:
    _write(tmp_path, 1.5)
    document = parse_document(DOCUMENT.replace("latency_p95", "<b>&").encode(), "canary.toml")
    measured = choose_series(document, read_csv(tmp_path / "m.csv"), "m.csv")
    judged = judge(measured, START, START + 600)
    drawn = plot_svg(measured[0], judged.metrics[0], START, START + 600)
    root = ET.fromstring(drawn)
    names: Mapping[str, str] = {"s": "http://www.w3.org/2000/svg"}
    title, description = root.find("s:title", names), root.find("s:desc", names)
    assert title is not None
    assert description is not None
    assert title.text == "<b>&"
    assert "regressed" in str(description.text)
    assert root.get("role") == "img"
    lines = root.findall("s:path", names)
    assert [str(path.get("class")) for path in lines] == ["rule", "start", "two", "one"]
    assert str(lines[2].get("d")).count("L") > str(lines[3].get("d")).count("L") == 40
    assert "prefers-color-scheme:dark" in PLOT_STYLE
    empty = plot_svg(measured[0], judged.metrics[0], 0, 600)
    assert "no values to draw" in empty


# Private


def _write(folder: Path, factor: float) -> None:
    """A document and its measurements: an hour before the start, ten minutes after, one bad request in a thousand."""
    draw = random.Random(3)
    rows = ["time,p95 canary,p95 base,failed canary,requests canary,failed base,requests base"]
    for i in range(-240, 41):
        load = 1 + 0.2 * math.sin(i / 100)
        base = 0.12 * load * math.exp(draw.gauss(0, 0.03))
        canary = 0.12 * load * math.exp(draw.gauss(0, 0.03)) * factor
        since = [f"{canary:.4f}", "0", "30"] if i >= 0 else ["", "", ""]
        rows.append(f"{START + 15 * i},{since[0]},{base:.4f},{since[1]},{since[2]},{int(draw.random() < 0.5)},570")
    (folder / "m.csv").write_text("\n".join(rows) + "\n")
    (folder / "canary.toml").write_text(DOCUMENT)


def _otlp(pods: dict[str, float]) -> dict[str, object]:
    points = [
        {
            "timeUnixNano": str(START * 10**9),
            "asDouble": value,
            "attributes": [{"key": "pod", "value": {"stringValue": pod}}],
        }
        for pod, value in pods.items()
    ]
    metric = {"name": "load", "gauge": {"dataPoints": points}}
    return {"resourceMetrics": [{"resource": {"attributes": []}, "scopeMetrics": [{"metrics": [metric]}]}]}
