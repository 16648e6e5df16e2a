"""Range and instant queries against a real Prometheus, and against servers that are none."""

from __future__ import annotations

import http.server
import math
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.telemetry.real_prometheus import run_prometheus
from tidegate.errors import InputError
from tidegate.telemetry.prometheus import Span, query_instant, query_range

BEGIN = 1_700_000_000
METRICS = "".join(
    f'work_seconds{{pod="{pod}"}} {value + i} {BEGIN + 15 * i}\n'
    for pod, value in (("a", 1), ("b", 100))
    for i in range(41)
    if not (pod == "b" and 10 <= i < 40)
)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    text = f"# TYPE work_seconds gauge\n{METRICS}"
    with run_prometheus(tmp_path_factory.mktemp("prometheus"), text) as url:
        yield url


def test_a_range_gives_each_series_with_its_gaps(prometheus: str) -> None:
    a, b = query_range(prometheus, "work_seconds", Span(BEGIN, BEGIN + 600, 15))
    assert (a.name, dict(a.labels)["pod"], dict(b.labels)["pod"]) == ("work_seconds", "a", "b")
    assert a.times.tolist() == [BEGIN + 15 * i for i in range(41)]
    assert a.values.tolist() == [1.0 + i for i in range(41)]
    # Prometheus looks back five minutes, so the gap of seven and a half is one of ten points.
    assert len(b.times) < 41
    assert b.times[-1] == BEGIN + 600


def test_an_instant_gives_one_point_each(prometheus: str) -> None:
    (found,) = query_instant(prometheus, "sum(work_seconds)", BEGIN + 15)
    assert (found.times.tolist(), found.values.tolist()) == ([BEGIN + 15.0], [103.0])
    (unknown,) = query_instant(prometheus, "vector(0) / 0", BEGIN)
    assert math.isnan(unknown.values[0])


def test_nothing_is_nothing(prometheus: str) -> None:
    assert query_range(prometheus, "there_is_none", Span(BEGIN, BEGIN + 60, 15)) == ()


def test_a_query_that_is_refused_says_why(prometheus: str) -> None:
    with pytest.raises(InputError, match="unclosed left parenthesis"):
        query_range(prometheus, "sum(", Span(BEGIN, BEGIN + 60, 15))


def test_a_query_that_gives_no_series_is_named(prometheus: str) -> None:
    with pytest.raises(InputError, match="gives a scalar, not a vector"):
        query_instant(prometheus, "1", BEGIN)


@pytest.mark.parametrize(
    ("span", "says"),
    [
        (Span(0, 1e9, 1), "1000000001 points"),
        (Span(10, 0, 1), "no range"),
        (Span(0, 10, 0), "no range"),
        (Span(math.nan, 1, 1), "finite"),
    ],
)
def test_a_range_that_makes_no_sense_is_not_asked(span: Span, says: str) -> None:
    with pytest.raises(InputError, match=says):
        query_range("http://127.0.0.1:1", "up", span)


@pytest.mark.parametrize("url", ["", "localhost:9090", "http://", "ftp://host", "http://host:port", "http://[::1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="not an address"):
        query_instant(url, "up")


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(InputError, match="does not answer"):
            query_instant(f"http://127.0.0.1:{free.getsockname()[1]}", "up")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"status":"success"}',
        b'{"status":"success","data":{"resultType":"vector","result":[{}]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":["x"]}]}}',
        b"[" * 100_000,
        b"\xff\x00",
    ],
)
def test_an_answer_that_is_none_is_refused(answer: bytes) -> None:
    with _server(answer) as url, pytest.raises(InputError):
        query_instant(url, "up")


def test_times_that_go_back_are_refused() -> None:
    values = b'[[2,"1"],[1,"1"]]'
    answer = b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":' + values + b"}]}}"
    with _server(answer) as url, pytest.raises(InputError, match="do not ascend"):
        query_range(url, "up", Span(0, 10, 1))


def test_histograms_are_named_and_not_lost() -> None:
    answer = b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}'
    with _server(answer) as url, pytest.raises(InputError, match="histogram_quantile"):
        query_instant(url, "up")


def test_a_server_that_drips_is_left_in_time() -> None:
    with _server(b" " * 100, pause=0.05) as url:
        begin = time.monotonic()
        with pytest.raises(InputError, match=r"no whole answer in time|does not answer"):
            query_instant(url, "up", timeout=0.3)
        assert time.monotonic() - begin < 2


# Private


class _server:  # noqa: N801 reads as the function that it is
    """A server that gives one answer, byte by byte where there is a pause."""

    def __init__(self, answer: bytes, pause: float = 0.0) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                try:
                    for i in range(len(answer)) if pause else ():
                        self.wfile.write(answer[i : i + 1])
                        time.sleep(pause)
                    if not pause:
                        self.wfile.write(answer)
                except OSError:
                    return

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
