"""`tidegate canary`: is the canary as good as what runs beside it?"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.options import style_here, write_to
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.rollout.canary.document import CanaryDocument
    from tidegate.rollout.canary.values import Judgement, Measured

_FILE = click.Path(path_type=Path)


@click.group(name="canary", context_settings={"help_option_names": ["-h", "--help"]})
def canary() -> None:
    """Is the canary as good as what runs beside it? Promote, hold or roll back, with the reasons."""


@canary.command(name="judge")
@click.argument("file", type=_FILE, metavar="FILE")
@click.option("--prometheus", metavar="URL", help="Measure there, whatever the document says.")
@click.option("--csv", "csv_", type=_FILE, help="Take the series of this CSV file; queries are names of columns.")
@click.option("--otlp", type=_FILE, help="Take the metrics of this OTLP file (.json, .pb); queries are names.")
@click.option("--kayenta", type=_FILE, metavar="CONFIG", help="Judge as Kayenta does, by this canary configuration.")
@click.option("--start", metavar="TIME", help="When the canary began: 2026-11-21T10:00:00Z, Unix seconds, or 10m ago.")
@click.option("--end", metavar="TIME", help="Until when; by default now, or the last value of the file.")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="Seconds a query.")
@click.option("--format", "format_", type=click.Choice(["text", "json", "html"]), default="text", show_default=True)
@click.option("-o", "--output", type=_FILE, help="Write to this file.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def judge_command(
    file: Path,
    prometheus: str | None,
    csv_: Path | None,
    otlp: Path | None,
    kayenta: Path | None,
    start: str | None,
    end: str | None,
    timeout: float,
    format_: str,
    output: Path | None,
    color: str,
) -> None:
    """Judge the canary that FILE describes (TOML, docs/canary.md).

    Valid whenever it is asked, and as often: it may stop a bad canary early. Nothing is executed. Exit codes: 0
    promote, 1 hold or roll back, 2 the input is wrong or cannot be reached.
    """
    from tidegate.rollout.canary.document import parse_document

    document = parse_document(_read(file), str(file))
    if sum(source is not None for source in (prometheus, csv_, otlp)) > 1:
        raise InputError("more than one source", mend="name one of --prometheus, --csv and --otlp")
    measured, since, until = _measure(document, prometheus, (csv_, otlp), (start, end), timeout)
    judgement = _judge(document, measured, kayenta, (since, until))
    write_to(output, _render(judgement, measured, format_, color))
    sys.exit(judgement.exit_code)


# Private


def _measure(
    document: CanaryDocument,
    prometheus: str | None,
    files: tuple[Path | None, Path | None],
    times: tuple[str | None, str | None],
    timeout: float,
) -> tuple[tuple[Measured, ...], float, float]:
    from tidegate.rollout.canary.sources import ask_prometheus, choose_series, read_otlp

    csv_, otlp = files
    if csv_ is None and otlp is None:
        url = prometheus or document.prometheus
        if not url:
            raise InputError("nowhere to measure", mend="give --prometheus URL, --csv FILE or --otlp FILE")
        since, until = _between(document, times, time.time())
        return ask_prometheus(document, url, since, until, timeout), since, until
    if csv_ is not None:
        from tidegate.telemetry.csv import read_csv

        series = read_csv(csv_)
    else:
        series = read_otlp(otlp) if otlp is not None else ()
    last = max((float(one.times[-1]) for one in series if len(one.times)), default=0.0)
    since, until = _between(document, times, last)
    return choose_series(document, series, str(csv_ or otlp)), since, until


def _between(document: CanaryDocument, times: tuple[str | None, str | None], now: float) -> tuple[float, float]:
    """From when to when is judged: the options, then the document, then now. The warm-up is not judged."""
    from tidegate.rollout.canary.document import read_duration, read_moment

    start, end = times
    until = read_moment(end, "--end") if end is not None else document.end if document.end is not None else now
    if start is not None and start[-1:] in "smhdw" and start[:1].isdigit():
        since: float | None = until - read_duration(start, "--start")
    else:
        since = read_moment(start, "--start") if start is not None else document.start
    if since is None:
        raise InputError("when did the canary begin?", mend="give --start 10m, or write start in the document")
    since += document.warmup
    if until <= since:
        raise InputError("the canary ends before it begins", where="--start", mend="give --start before --end")
    return since, until


def _judge(
    document: CanaryDocument, measured: tuple[Measured, ...], kayenta: Path | None, span: tuple[float, float]
) -> Judgement:
    if kayenta is None:
        from tidegate.rollout.canary.sequential import judge

        return judge(measured, *span, document.error_rate)
    from tidegate.rollout.canary.kayenta import judge_kayenta
    from tidegate.rollout.canary.kayenta_config import parse_kayenta
    from tidegate.rollout.canary.pairs import pair_up

    config = parse_kayenta(_read(kayenta), str(kayenta))
    return judge_kayenta(config, pair_up(config, measured, *span), *span)


def _render(judgement: Judgement, measured: tuple[Measured, ...], format_: str, color: str) -> str | bytes:
    if format_ == "json":
        from tidegate.rollout.canary.values import judgement_json

        return judgement_json(judgement)
    if format_ == "html":
        from tidegate.rollout.canary.page import render_judgement_html

        return render_judgement_html(judgement, measured)
    from tidegate.rollout.canary.text import render_judgement_text

    return render_judgement_text(judgement, measured, style_here(color))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read((4 << 20) + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path), mend="name a file") from error
