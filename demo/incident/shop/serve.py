"""What every service of the shop stands on: HTTP, its metrics, its spans, and where the others are."""

from __future__ import annotations

import json
import os
import queue
import secrets
import signal
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

SERVICE = os.environ.get("SHOP_SERVICE", "")
REVISION = os.environ.get("SHOP_REVISION", "")
PLACES = os.environ.get("SHOP_PLACES", "")
COLLECTOR = os.environ.get("SHOP_OTLP", "")
TOKEN = os.environ.get("SHOP_OTLP_TOKEN", "")
ENVIRONMENT = "production"

REQUESTS = Counter("http_requests_total", "Requests by route and status", ["route", "code"])
SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time of a request",
    ["route"],
    buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5),
)
CALLS = Counter("http_client_requests_total", "Calls of other services", ["peer", "code"])
BUILD = Gauge("build_info", "What runs here", ["revision"])

_here = threading.local()
_spans: queue.SimpleQueue = queue.SimpleQueue()


class Refused(Exception):
    """An answer that is no success and no fault of ours."""

    def __init__(self, status, words):
        super().__init__(words)
        self.status = status


def call(service, path, body=None, timeout=2.0):
    """What another service answers. Raises Refused with its status; a fault there is a fault here."""
    _, trace, span = getattr(_here, "context", ("", secrets.token_hex(16), ""))
    data = None if body is None else json.dumps(body).encode()
    own = secrets.token_hex(8)
    headers = {"content-type": "application/json", "traceparent": f"00-{trace}-{own}-01"}
    request = urllib.request.Request(f"http://127.0.0.1:{_place(service)}{path}", data, headers)
    begun = time.time()
    code = "0"
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            code = str(response.status)
            return json.load(response)
    except urllib.error.HTTPError as error:
        code = str(error.code)
        if error.code < 500:
            raise Refused(error.code, json.load(error)["error"]) from error
        raise RuntimeError(f"{service}{path.split('?')[0]} answered {error.code}") from error
    finally:
        CALLS.labels(service, code).inc()
        _report(trace, own, span, 3, f"call {service}", begun, code, peer=service)


def run(routes):
    """Serves until it is told to stop; what is under way is finished."""
    BUILD.labels(REVISION).set(1)
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["SHOP_PORT"])), _handler(routes))
    server.daemon_threads = False
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    if COLLECTOR:
        threading.Thread(target=_send_spans, daemon=True).start()
    server.serve_forever(poll_interval=0.1)
    server.server_close()


# Private


def _place(service):
    with open(PLACES) as file:
        ports = json.load(file)[service]
    pick, reached = secrets.randbelow(1000) / 1000, 0.0
    for port, share in ports:
        reached += share
        if pick < reached:
            return port
    return ports[-1][0]


def _handler(routes):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self):
            self._serve(None)

        def do_POST(self):
            self._serve(json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}"))

        def log_message(self, *_):
            pass

        def _serve(self, body):
            parts = urllib.parse.urlsplit(self.path)
            if parts.path == "/metrics":
                self._answer(200, generate_latest(), CONTENT_TYPE_LATEST)
                return
            work = routes.get(parts.path)
            if work is None:
                self._answer(404, b'{"error": "no such route"}')
                return
            parent = (self.headers.get("traceparent") or "").split("-")
            trace = parent[1] if len(parent) == 4 else secrets.token_hex(16)
            span = secrets.token_hex(8)
            _here.context = (parts.path, trace, span)
            begun, fault = time.time(), ""
            try:
                query = {name: values[0] for name, values in urllib.parse.parse_qs(parts.query).items()}
                status, answer = 200, work({**query, **(body or {})})
            except Refused as refusal:
                status, answer = refusal.status, {"error": str(refusal)}
            except Exception as error:
                status, answer, fault = 500, {"error": type(error).__name__}, traceback.format_exc()
            took = time.time() - begun
            REQUESTS.labels(parts.path, str(status)).inc()
            SECONDS.labels(parts.path).observe(took)
            _report(trace, span, parent[2] if len(parent) == 4 else "", 2, parts.path, begun, str(status), fault)
            self._answer(status, json.dumps(answer).encode())

        def _answer(self, status, content, kind="application/json"):
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _report(trace, span, parent, kind, name, begun, code, fault="", peer=""):
    if not COLLECTOR:
        return
    attributes = {"http.response.status_code": code}
    attributes |= {"http.route": name} if kind == 2 else {"peer.service": peer}
    events = []
    if fault:
        last = fault.strip().splitlines()[-1]
        events.append(
            {
                "name": "exception",
                "timeUnixNano": str(int(time.time() * 1e9)),
                "attributes": _attributes(
                    {
                        "exception.type": last.partition(":")[0],
                        "exception.message": last.partition(": ")[2],
                        "exception.stacktrace": fault,
                    }
                ),
            }
        )
    _spans.put(
        {
            "traceId": trace,
            "spanId": span,
            "parentSpanId": parent,
            "name": name,
            "kind": kind,
            "startTimeUnixNano": str(int(begun * 1e9)),
            "endTimeUnixNano": str(int(time.time() * 1e9)),
            "attributes": _attributes(attributes),
            "events": events,
            "status": {"code": 2 if fault or code >= "500" or code == "0" else 1},
        }
    )


def _attributes(values):
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def _send_spans():
    resource = _attributes(
        {
            "service.name": SERVICE,
            "deployment.environment.name": ENVIRONMENT,
            "vcs.ref.head.revision": REVISION,
        }
    )
    while True:
        time.sleep(1)
        spans = [_spans.get() for _ in range(min(_spans.qsize(), 500))]
        if not spans:
            continue
        document = {"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [{"spans": spans}]}]}
        headers = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"}
        request = urllib.request.Request(COLLECTOR, json.dumps(document).encode(), headers)
        try:
            urllib.request.urlopen(request, timeout=5).close()
        except (urllib.error.URLError, OSError):
            pass  # telemetry that is lost is lost: the shop goes on
