"""A forge on loopback, both of our clients of it, and a receiver of its messages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from demo.forge import FakeForge
from joserfc.jwk import RSAKey

from tests.repos import build
from tidegate.server.config import GitHub, GitLab, Secrets
from tidegate.server.forge.github import GitHubForge
from tidegate.server.forge.gitlab import GitLabForge
from tidegate.server.forge.http import Patience

Message = tuple[dict[str, str], bytes]
"""Headers by their names in small letters, and the body."""
SLUG = "octo/shop"
SECRET = "a secret of twenty characters"
QUICK = Patience(connect=1.0, silence=0.3, answer=1.0, pause=0.01)
SCRIPT = """
commit Open the shop
  file shop.py
    . price = 1
branch feature
commit Raise the price
  file shop.py
    . price = 2
"""


@pytest.fixture(scope="session")
def app_key() -> bytes:
    return RSAKey.generate_key(2048, private=True).as_pem(private=True)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("source"), SCRIPT).path


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, app_key: bytes) -> Iterator[FakeForge]:
    with FakeForge(tmp_path_factory.mktemp("forge"), pem=app_key) as forge:
        yield forge


@pytest.fixture
def fake(running: FakeForge, tmp_path: Path, source: Path) -> FakeForge:
    """A forge with one repository and nothing else."""
    running.forget(tmp_path / "forge")
    running.do.add_repository(SLUG, source)
    return running


@pytest.fixture
def github(fake: FakeForge, tmp_path: Path) -> Iterator[GitHubForge]:
    """As an App."""
    key = fake.write_key(tmp_path / "app.pem")
    secrets = Secrets((SECRET.encode(),))
    forge = GitHubForge(GitHub(api=fake.github_api, app=str(fake.app.id), key=key, hooks=secrets), QUICK)
    yield forge
    forge.close()


@pytest.fixture
def by_token(fake: FakeForge) -> Iterator[GitHubForge]:
    """As the account gatebot."""
    token = fake.world.give_token("gatebot").text.encode()
    hooks = Secrets((SECRET.encode(),))
    forge = GitHubForge(GitHub(api=fake.github_api, token=Secrets((token,)), hooks=hooks), QUICK)
    yield forge
    forge.close()


@pytest.fixture
def gitlab(fake: FakeForge) -> Iterator[GitLabForge]:
    token = fake.world.give_token("gatebot").text.encode()
    secrets = Secrets((SECRET.encode(),))
    forge = GitLabForge(GitLab(api=fake.url, token=Secrets((token,)), hooks=secrets), QUICK)
    yield forge
    forge.close()


@pytest.fixture
def received(fake: FakeForge) -> Iterator[Callable[[], list[Message]]]:
    """Every message that arrived at a receiver on loopback, from both forges."""
    got: list[Message] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(202)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for forge in ("github", "gitlab"):
        fake.hook(f"http://127.0.0.1:{server.server_port}/hooks/{forge}", SECRET, forge)
    yield lambda: list(got)
    server.shutdown()
    server.server_close()
    thread.join()
