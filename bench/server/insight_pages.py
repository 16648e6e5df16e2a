"""What the pages of insight cost the service over many changes: counting once beside the pages, and each view.

python -m bench.server.insight_pages [--changes 50000]

In this process, without a browser and without a network. Exit code 1 where a view takes more than 300 ms of CPU.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from starlette.responses import Response
from starlette.testclient import TestClient
from tests.server.console import insights

from tidegate.server.app import make_app
from tidegate.server.auth.session import cookie_name, open_session
from tidegate.server.config import Config
from tidegate.server.insight.spending import take_bill
from tidegate.server.service import Service
from tidegate.server.start import open_service
from tidegate.store import accounts
from tidegate.store.clock import later, now

BAR_MS = 300.0
TIMES = 5
PATHS = (
    "/insight?since=52w",
    "/insight?since=52w&by=model",
    "/insight/scrutiny?since=52w",
    "/insight",
    "/insight?by=repository",
    "/insight/scrutiny",
    "/insight/spend?since=52w",
    "/insight/spend",
    "/insight/briefing",
    "/insight/briefing.html",
    "/insight/briefing.md",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=50_000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        config = Config(data=Path(name) / "data", database=f"sqlite:///{name}/data/tidegate.db")
        with open_service(config) as service:
            insights.tell(service, wanted.changes, days=360)
            take_bill(service, _bill().encode(), "", "")
            return _measure(service)


# Private


def _bill() -> str:
    """A year of three tools and fifty people, day by day."""
    rows = [
        f"{later(now(), -86400.0 * back)[:10]},{tool},p{person}@acme.test,{1 + person / 7:.2f},USD"
        for back in range(360)
        for person in range(50)
        for tool in ("claude-code", "cursor", "devin")
    ]
    return "day,tool,person,cost,currency\n" + "\n".join(rows) + "\n"


def _measure(service: Service) -> int:
    with service.database.write() as connection:
        root = accounts.add_person(connection, "root", "Root", "admin", now())
    response = Response()
    open_session(service, root, response)
    secret = response.headers["set-cookie"].partition(";")[0].partition("=")[2]
    headers = {"cookie": f"{cookie_name(service)}={secret}"}
    slow = []
    with TestClient(make_app(service), base_url="http://127.0.0.1:8787", headers=headers) as client:
        client.get("/sign-in")  # templates and decoders are made once for a process
        for path in PATHS:
            counted = _count(client, path)
            views = [_view(client, path) for _ in range(TIMES)]
            print(f"{path:32} counted beside it {counted:7.1f} ms   a view {min(views):6.1f} to {max(views):6.1f} ms")
            slow += [path] if max(views) > BAR_MS else []
    print(f"bar: {BAR_MS:.0f} ms of CPU a view; missed by {', '.join(slow) or 'none'}")
    return bool(slow)


def _count(client: TestClient, path: str) -> float:
    """CPU until the page stands there for the first time, the asking included."""
    began = time.process_time()
    while client.get(path).status_code != 200:
        time.sleep(0.1)
    return (time.process_time() - began) * 1000


def _view(client: TestClient, path: str) -> float:
    began = time.process_time()
    answer = client.get(path)
    took = time.process_time() - began
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}: {answer.text[:300]}")
    return took * 1000


if __name__ == "__main__":
    sys.exit(main())
