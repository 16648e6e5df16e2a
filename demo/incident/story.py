"""One story on loopback with real parts: the shop in production, a forge, and the service that watches it.

A deployment is told to the service as a pipeline tells it; everything else the service finds out by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from demo.forge.server import FakeForge
from demo.incident.changes import Edit
from demo.incident.production import Production, free_port
from demo.incident.repository import SERVICES, Shop, Written
from tidegate.server import start
from tidegate.server.auth.passwords import hash_password, make_password
from tidegate.server.auth.session import TOKEN_PREFIX
from tidegate.server.config import Config, read_config
from tidegate.store import accounts, repositories
from tidegate.store.accounts import NewToken
from tidegate.store.clock import later, now
from tidegate.store.migrate import prepare_database
from tidegate.store.repositories import NewRepository

SLUG = "acme/shop"
ENVIRONMENT = "production"
SECRET = "what-the-imitated-forge-signs-with"
SCOPES = ("events:write", "changes:read", "evidence:read", "settings:read")
START_SECONDS = 30.0


class Story:
    """Begins with the `with`: the shop runs, people use it, and its first deployments are told."""

    def __init__(self, folder: Path, seed: int, *, rate: float = 30.0) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.shop = Shop(folder / "shop", seed)
        self.url = f"http://localhost:{free_port()}"
        self.password = make_password()
        self._token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        self.production = Production(
            folder / "production",
            self.shop,
            collector=f"{self.url}/api/v1/otlp/v1/traces",
            hook=f"{self.url}/api/v1/events/alertmanager",
            token=self._token,
            rate=rate,
        )
        self._forge = FakeForge(folder / "forge")
        self._stack = ExitStack()
        self._told = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            forge = stack.enter_context(self._forge)
            self._fetch = forge.do.add_repository(SLUG, self.shop.path).git
            stack.callback(self._begin_service(forge))
            stack.enter_context(self.production)
            for service in SERVICES:
                self._tell(service, self.shop.head(), "", "succeeded", f"first-{service}")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, edit: Edit, *, agent: bool | None = None) -> Written:
        """A commit on main, at the forge as well."""
        written = self.shop.write(edit, agent=agent)
        self._bring()
        return written

    def take_back(self, revision: str) -> None:
        """Main is again what it was."""
        self.shop.git("reset", "-q", "--hard", revision)
        self._bring()

    def deploy(self, service: str, revision: str) -> float:
        """Brings it into production and tells the service so, as a pipeline does; when it began."""
        self._told += 1
        name = f"run-{self._told}"
        began = time.time()
        previous = self.production.deployed[service]
        self._tell(service, revision, previous, "started", name)
        self.production.deploy(service, revision)
        self._tell(service, revision, previous, "succeeded", name)
        return began

    def get(self, path: str) -> Any:
        """What the API answers."""
        request = urllib.request.Request(f"{self.url}/api/v1{path}", headers=self._headers())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    # Private

    def _bring(self) -> None:
        self._fetch("fetch", "-q", str(self.shop.path), "+refs/heads/*:refs/heads/*", "+refs/notes/*:refs/notes/*")

    def _tell(self, service: str, revision: str, previous: str, status: str, name: str) -> None:
        event = {
            "type": "deployment",
            "deployment": name,
            "status": status,
            "environment": ENVIRONMENT,
            "service": service,
            "at": time.time(),
            "repository": SLUG,
            "revision": revision,
            "previous": previous,
            "actor": "pipeline",
        }
        headers = {**self._headers(), "content-type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v1/events/plain", json.dumps(event).encode(), headers)
        urllib.request.urlopen(request, timeout=10).close()

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"}

    def _begin_service(self, forge: FakeForge) -> Callable[[], None]:
        """Starts it as an operator does, and waits until it is ready; how to end it."""
        setup = self.folder / "production.toml"
        setup.write_text(
            f'prometheus = "{self.production.prometheus}"\nstep = 1\nhistory = 900\nwatch = 180\n'
            f'environments = ["{ENVIRONMENT}"]\n'
        )
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TIDEGATE_HOME": str(self.folder / "data"),
            "TIDEGATE_PORT": self.url.rsplit(":", 1)[1],
            "TIDEGATE_URL": self.url,
            "TIDEGATE_GITHUB_API": forge.github_api,
            "TIDEGATE_GITHUB_APP": str(forge.app.id),
            "TIDEGATE_GITHUB_KEY_FILE": str(forge.write_key(self.folder / "app.pem")),
            "TIDEGATE_GITHUB_WEBHOOK_SECRET": SECRET,
            "TIDEGATE_PRODUCTION_FILE": str(setup),
        }
        self._fill(read_config(environment), forge)
        log = self.folder / "service.jsonl"
        command = [sys.executable, "-c", "from tidegate.cli.main import main; main()", "serve"]
        with log.open("wb") as said:
            process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)

        def end() -> None:
            process.terminate()
            process.wait(30)

        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=2).close()
            except (urllib.error.URLError, OSError):
                if process.poll() is not None:
                    raise RuntimeError(f"the service ended: {log.read_text()}") from None
                time.sleep(0.1)
            else:
                return end
        end()
        raise TimeoutError(f"the service did not start within {START_SECONDS:g} s")

    def _fill(self, config: Config, forge: FakeForge) -> None:
        """An admin with a password, whose token the pipeline has; and the repository."""
        start.make_folder(config.data)
        database = prepare_database(config.database)
        at = now()
        digest = hashlib.sha256(self._token.encode()).hexdigest()
        try:
            with database.write() as connection:
                person = accounts.add_person(connection, "admin", "Admin", "admin", at).id
                accounts.set_password(connection, person, hash_password(self.password), at)
                token = NewToken(person, digest, "pipeline", SCOPES, later(at, 86400.0))
                accounts.add_token(connection, token, at)
                repositories.add(connection, NewRepository("github", SLUG, f"{forge.url}/{SLUG}.git", "main"), at)
        finally:
            database.close()
