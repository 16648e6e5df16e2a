"""Request rates as somebody measured them, matched to routes. Unknown is never zero."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import InputError
from tidegate.reach.prometheus import ask
from tidegate.reach.routes import match_score, shape_of
from tidegate.reach.traffic import Rate, Traffic, read_traffic

USERS = [
    "/users/{id}",
    "/users/:id",
    "/users/<int:id>",
    "/users/[id]",
    r"^users/(?P<id>[0-9]+)/$",
    "users/$id",
    "/users/42/",
]


def test_templates_of_all_frameworks_are_one_route() -> None:
    assert {shape_of(path) for path in USERS} == {("users", "{}")}
    assert {shape_of(path) for path in ("/f/{p:path}", "/f/<path:p>", "/f/[...p]", "/f/**", "/f/*rest")} == {
        ("f", "**")
    }
    assert shape_of("https://example.com/a/b?c=/d") == ("a", "b")
    assert shape_of("/v/550e8400-e29b-41d4-a716-446655440000/{name}.json") == ("v", "{}", "{}")


@pytest.mark.parametrize(
    ("template", "path", "fits"),
    [
        ("/users/{id}", "/users/me", True),
        ("/users/{id}", "/users", False),
        ("/users/{id}", "/users/1/posts", False),
        ("/files/{p:path}", "/files/a/b/c", True),
        ("/users/me", "/users/{id}", False),
        ("/", "/", True),
        ("/", "/users", False),
    ],
)
def test_whether_a_template_takes_a_path(template: str, path: str, *, fits: bool) -> None:
    assert bool(match_score(shape_of(template), shape_of(path))) == fits


@given(
    st.lists(st.sampled_from(["a", "b", "{x}", ":y", "<z>", "*", "7"]), max_size=6).map(
        lambda parts: "/" + "/".join(parts)
    )
)
def test_a_template_takes_itself(path: str) -> None:
    assert match_score(shape_of(path), shape_of(path)) > 0


@given(st.text(alphabet="ab1/{}[]<>()?P:*.$\\d^\n", max_size=40))
def test_any_text_has_a_shape(text: str) -> None:
    assert all(shape_of(text))


def test_a_rate_goes_to_the_route_that_takes_it_best() -> None:
    rates = (Rate("", "GET", "/users/me", 5.0), Rate("", "GET", "/users/7", 2.0), Rate("", "POST", "/users/9", 1.0))
    traffic = Traffic("x", (*rates, Rate("", "GET", "/other", 9.0), Rate("s", "", "", 3.0)))
    routes = [
        ("GET", "/users/{id}"),
        ("GET", "/users/me"),
        ("POST", "/users/:id"),
        ("DELETE", "/users/{id}"),
        ("GET", "/"),
    ]
    assert traffic.of_routes(routes) == [2.0, 5.0, 1.0, None, None]


def test_a_service_is_the_sum_of_what_was_measured() -> None:
    traffic = Traffic(
        "x", (Rate("Cart_Service", "GET", "/a", 1.0), Rate("cart-service", "", "", 0.5), Rate("b", "", "", 0.0))
    )
    assert [traffic.of_service(name) for name in ("cart-service", "b", "c")] == [1.5, 0.0, None]


def test_a_csv(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("service,method,route,per_second\nshop,get,/a,1.5\n,,/b,2\n")
    assert read_traffic(str(file)).rates == (Rate("shop", "GET", "/a", 1.5), Rate("", "", "/b", 2.0))


def span(service: str, ids: tuple[str, str], second: float, name: str = "", kind: int = 2, **attributes: str) -> object:
    said = [{"key": key.replace("_", "."), "value": {"stringValue": value}} for key, value in attributes.items()]
    times = {"startTimeUnixNano": str(int(second * 1e9)), "endTimeUnixNano": str(int(second * 1e9))}
    one = {
        "traceId": "t",
        "spanId": ids[0],
        "parentSpanId": ids[1],
        "kind": kind,
        "name": name,
        "attributes": said,
        **times,
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [one]}]}]}


def test_spans_one_a_line(tmp_path: Path) -> None:
    lines = [
        span("web", ("1", ""), 100, http_route="/cart/{id}", http_request_method="GET"),
        span("web", ("2", "1"), 100, "call", kind=3),
        span("cart", ("3", "2"), 105, "shop.Cart/Get", kind=2),
        span("web", ("4", ""), 110, "GET /cart/{id}"),
    ]
    file = tmp_path / "spans.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    traffic = read_traffic(str(file))
    assert traffic.rates == (Rate("cart", "", "/shop.Cart/Get", 0.1), Rate("web", "GET", "/cart/{id}", 0.2))
    assert traffic.calls == (("web", "cart"),)


def test_spans_of_one_moment_tell_no_rate(tmp_path: Path) -> None:
    file = tmp_path / "spans.json"
    file.write_text(json.dumps(span("web", ("1", ""), 100, "GET /")))
    assert read_traffic(str(file)).of_service("web") is None


@pytest.mark.parametrize(("temporality", "counts", "rate"), [(2, [100, 160], 1.0), (1, [30, 30], 0.5), (2, [60], 0.5)])
def test_metrics(tmp_path: Path, temporality: int, counts: list[int], rate: float) -> None:
    attributes = [{"key": "http.route", "value": {"stringValue": "/a"}}]
    delta = temporality == 1
    points = [
        {
            "startTimeUnixNano": str((1000 + place * 60 if delta else 1000) * 10**9),
            "timeUnixNano": str((1060 + place * 60) * 10**9 if delta or len(counts) > 1 else 1120 * 10**9),
            "count": str(count),
            "attributes": attributes,
        }
        for place, count in enumerate(counts)
    ]
    histogram = {"aggregationTemporality": temporality, "dataPoints": points}
    metric = {"name": "http.server.request.duration", "histogram": histogram}
    file = tmp_path / "metrics.json"
    file.write_text(json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}))
    assert read_traffic(str(file)).rates == (Rate("", "", "/a", rate),)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "route,per_second\n/a,many\n", "a.csv:2: per_second is no number"),
        ("a.csv", "route,per_second\n/a,-1\n", "per_second is no number"),
        ("a.csv", "route,per_second\n/a,nan\n", "per_second is no number"),
        ("a.json", "{}", "neither spans nor metrics"),
        ("a.json", "[" * 100_000, "not OTLP/JSON"),
        ("a.json", "{" + '"a":[{' * 50_000, "not OTLP/JSON"),
        ("missing.json", None, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: str | None, reason: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=reason):
        read_traffic(str(tmp_path / name))


# A server


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that lets `answer` say whatever it wants, once for each connection."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                try:
                    answer(connection)
                except OSError:
                    continue

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


def says(body: bytes, status: str = "200 OK") -> Callable[[socket.socket], None]:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return lambda connection: connection.sendall(head + body)


def drips(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(40):
        connection.sendall(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (says(b"<html>"), "no answer of Prometheus"),
        (says(b"", "503 Busy"), "answers 503 Busy"),
        (says(b'{"status": "error", "error": "parse error"}', "400 Bad"), "refuses the query: parse error"),
        (says(b'{"status": "success", "data": {"resultType": "matrix", "result": []}}'), "gives a matrix"),
        (says(b'{"status": "success", "data": {"resultType": "vector", "result": [1]}}'), "no answer of Prometheus"),
        (lambda connection: None, "does not answer"),
        (lambda connection: time.sleep(0.5), "does not answer"),
        (drips, "no whole answer in 0.3 s"),
    ],
)
def test_a_server_that_does_not_answer_well(answer: Callable[[socket.socket], None], reason: str) -> None:
    with server(answer) as url, pytest.raises(InputError, match=reason):
        ask(url, "up", timeout=0.3)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://", "http://x:port", "http://127.0.0.1:1"])
def test_no_server(url: str) -> None:
    with pytest.raises(InputError):
        ask(url, "up", timeout=1)


SERIES = """
# TYPE http_requests counter
http_requests_total{{job="shop",method="get",handler="/cart/{{id}}",code="200"}} {0} {t}
http_requests_total{{job="shop",method="get",handler="/cart/{{id}}",code="500"}} {1} {t}
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_count{{service_name="pay",http_route="/pay",http_request_method="POST"}} {0} {t}
# TYPE traces_service_graph_request counter
traces_service_graph_request_total{{client="shop",server="pay"}} {0} {t}
"""


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[str]:
    """A real Prometheus that holds four minutes of counters: 2 a second, and 1 a second."""
    promtool, program = shutil.which("promtool"), shutil.which("prometheus")
    if not promtool or not program:
        pytest.skip("prometheus is not installed: apt-get install prometheus")
    now = int(time.time())
    times = range(now - 240, now + 1, 15)
    blocks = [SERIES.format(2 * (t - times[0]), t - times[0], t=t).strip().split("\n") for t in times]
    merged = [line for number in range(len(blocks[0])) for line in dict.fromkeys(block[number] for block in blocks)]
    # A family stands together, its series each in order of time.
    (tmp_path / "series.txt").write_text("\n".join([*merged, "# EOF", ""]))
    data = tmp_path / "data"
    create = ["tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "series.txt"), str(data)]
    subprocess.run([promtool, *create], check=True, capture_output=True)
    (tmp_path / "p.yml").write_text("{}")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    options = [
        f"--config.file={tmp_path / 'p.yml'}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/-/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    pytest.fail("prometheus did not start in 10 s")


def test_prometheus(prometheus: str) -> None:
    traffic = read_traffic(prometheus)
    assert {(rate.service, rate.method, rate.route) for rate in traffic.rates} == {
        ("shop", "GET", "/cart/{id}"),
        ("pay", "POST", "/pay"),
    }
    assert traffic.of_service("shop") == pytest.approx(3.0, rel=0.25)
    assert traffic.of_service("pay") == pytest.approx(2.0, rel=0.25)
    assert traffic.of_service("mail") is None
    assert traffic.calls == (("shop", "pay"),)
    own = read_traffic(prometheus, "sum by (job) (http_requests_total)")
    assert [(rate.service, rate.per_second) for rate in own.rates] == [("shop", 720.0)]
    with pytest.raises(InputError, match="refuses the query"):
        read_traffic(prometheus, "sum(")
