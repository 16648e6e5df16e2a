"""What the pages of the console cost the service: CPU of the first view, and of one after it.

python -m bench.server.pages [--people 300] [--repositories 4] [--changes 60] [--files 120]

In this process, without a browser and without a network: a change of `--files` files for real in a mirror, assessed as
`tidegate check` assesses it, and beside it repositories with `--changes` assessed changes each. Exit code 1 where a
page takes more than 300 ms of CPU.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from msgspec import structs
from starlette.responses import Response
from starlette.testclient import TestClient
from tests.repos import Repo
from tests.server.console.house import Shop, assessed, make_shop

from tidegate.server.app import make_app
from tidegate.server.auth.session import cookie_name, open_session
from tidegate.server.config import Config
from tidegate.server.service import Service
from tidegate.server.start import open_service
from tidegate.store import accounts, assessments, changes, repositories
from tidegate.store.clock import now
from tidegate.store.repositories import NewRepository

BAR_MS = 300.0
TIMES = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--repositories", type=int, default=4)
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--files", type=int, default=120)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shop = _large_shop(folder / "shop", wanted.files)
        config = Config(data=folder / "data", database=f"sqlite:///{folder}/data/tidegate.db")
        with open_service(config) as service:
            change, headers = _fill(service, shop, wanted)
            return _measure(service, change, headers)


# Private


def _measure(service: Service, change: int, headers: dict[str, str]) -> int:
    paths = ["/", f"/changes/{change}", f"/changes/{change}/approve", "/ledger", "/settings/repositories"]
    paths += ["/settings/policies", "/settings/policies/1/trial", "/settings/people", "/settings/keys"]
    paths += ["/settings/tokens", "/settings/witnesses", f"/api/v1/changes/{change}/hunks"]
    slow = []
    with TestClient(make_app(service), base_url="http://127.0.0.1:8787", headers=headers) as client:
        client.get("/sign-in")  # templates and decoders are made once for a process
        for path in paths:
            cold, size = _view(client, path)
            warm = min(_view(client, path)[0] for _ in range(TIMES))
            print(f"{path:32} first {cold:7.1f} ms   after {warm:7.1f} ms   {size / 1024:8.0f} kB")
            slow += [path] if max(cold, warm) > BAR_MS else []
    print(f"bar: {BAR_MS:.0f} ms of CPU; missed by {', '.join(slow) or 'none'}")
    return bool(slow)


def _view(client: TestClient, path: str) -> tuple[float, int]:
    began = time.process_time()
    answer = client.get(path)
    took = time.process_time() - began
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}: {answer.text[:300]}")
    return took * 1000, len(answer.content)


def _large_shop(folder: Path, files: int) -> Shop:
    """The demo's shop, whose feature branch touches `files` more files."""
    body = "".join(f"def f{line}(x):\n    return x + {line}\n\n\n" for line in range(40))
    small = make_shop(folder)
    repo = Repo(small.repo.path, small.repo.clock)
    repo.git("checkout", "-q", "feature")
    repo.commit("Add many", {f"pkg/m{number}.py": body for number in range(files)})
    return _assess(repo)


def _assess(repo: Repo) -> Shop:
    from tidegate.assess import Request, assess
    from tidegate.change.git import open_repository
    from tidegate.change.read import Question
    from tidegate.report.document import render_json
    from tidegate.report.style import PLAIN

    with open_repository(repo.path) as repository:
        asked = Request(Question(change="main..feature"), "merge", "2026-03-01T09:00:00Z", {})
        said = assess(asked, repository)
    return Shop(repo, said, render_json(said.facts, said.verdict, PLAIN).encode())


def _fill(service: Service, shop: Shop, wanted: argparse.Namespace) -> tuple[int, dict[str, str]]:
    mirror = service.config.data / "mirrors" / "github" / "acme" / "shop0.git"
    mirror.parent.mkdir(parents=True)
    subprocess.run(["git", "clone", "-q", "--mirror", shop.repo.path, mirror], check=True)
    facts, first = shop.assessment.facts, 0
    with service.database.write() as connection:
        for number in range(wanted.people):
            person = accounts.add_person(connection, f"p{number}", f"Person {number}", "reviewer", now())
            accounts.add_identity(connection, person.id, "forge", "github.com", f"p{number}", now())
        for place in range(wanted.repositories):
            new = NewRepository("github", f"acme/shop{place}", f"https://github.com/acme/shop{place}.git", "main")
            repository = repositories.add(connection, new, now()).id
            for number in range(wanted.changes):
                read = changes.Read(
                    repository=repository, number=number, title=f"Change {number}", author="alice", target="main",
                    base=facts.change.base, head=facts.change.head, state="open", forge_state="{}",
                    opened_at=now(), read_at=now(),
                )  # fmt: skip
                change = changes.keep(connection, read).change.id
                first = first or change
                new_one = structs.replace(assessed(change, shop), key=f"key-{change}")
                assessments.put(connection, new_one, now())
        root = accounts.add_person(connection, "root", "Root", "admin", now())
    response = Response()
    open_session(service, root, response)
    secret = response.headers["set-cookie"].partition(";")[0].partition("=")[2]
    return first, {"cookie": f"{cookie_name(service)}={secret}"}


if __name__ == "__main__":
    sys.exit(main())
