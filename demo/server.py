"""`make demo-server`: the service before an imitated GitHub with the shop in it, and people with something to do."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
import urllib.error
import urllib.request

from tests.repos import build

from demo.forge.server import FakeForge
from demo.run import ROOT, SCRIPT
from tidegate.server import start
from tidegate.server.auth.passwords import hash_password, make_password
from tidegate.server.config import Config, read_config
from tidegate.store import accounts, repositories
from tidegate.store.clock import now
from tidegate.store.migrate import prepare_database
from tidegate.store.repositories import NewRepository

FOLDER = ROOT / ".demo" / "server"
SLUG = "acme/shop"
SECRET = "what-the-imitated-forge-signs-with"
PORT = "8787"
PEOPLE = {"admin": "admin", "alice": "approver", "erin": "approver", "dave": "approver", "rita": "reviewer"}
PULLS = (("feature", "Take payments twice as fast"), ("tidy", "Name things after what they hold"))

WORDS = """A shop at an imitated GitHub ({forge}), with two open pull requests: by people, by agents,
and one commit that does not say. Everything is in {folder}; it begins anew each time.

Sign in at {url} as one of {people}
with the password        {password}

  erin    may approve: read the riskiest hunks, register a key in the settings, approve
  alice   made part of the change: her approval does not count
  admin   sees to the settings

Both changes are assessed within seconds. Control-C ends it.
"""


def main() -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    shop = build(FOLDER / "shop", SCRIPT)
    with FakeForge(FOLDER / "forge") as forge:
        project = forge.do.add_repository(SLUG, shop.path)
        project.git("fetch", "-q", str(shop.path), "+refs/notes/*:refs/notes/*")
        config = _config(forge)
        password = _fill(config, f"{forge.url}/{SLUG}.git")
        forge.hook(f"{config.url}/hooks/github", SECRET)
        names = ", ".join(PEOPLE)
        shown = WORDS.format(
            forge=forge.url, folder=FOLDER.relative_to(ROOT), url=config.url, people=names, password=password
        )
        print(shown, flush=True)
        threading.Thread(target=_open_pulls, args=(forge, config.url), daemon=True).start()
        log = FOLDER / "log.jsonl"
        with log.open("w") as written:
            os.dup2(written.fileno(), sys.stderr.fileno())  # what is asked and answered stands there, not in between
            start.serve(config, print)
    return 0


# Private


def _config(forge: FakeForge) -> Config:
    port = os.environ.get("TIDEGATE_PORT", PORT)
    return read_config(
        {
            "TIDEGATE_HOME": str(FOLDER / "data"),
            "TIDEGATE_PORT": port,
            "TIDEGATE_URL": f"http://localhost:{port}",  # browsers ask authenticators under this name
            "TIDEGATE_GITHUB_API": forge.github_api,
            "TIDEGATE_GITHUB_APP": str(forge.app.id),
            "TIDEGATE_GITHUB_KEY_FILE": str(forge.write_key(FOLDER / "app.pem")),
            "TIDEGATE_GITHUB_WEBHOOK_SECRET": SECRET,
        }
    )


def _fill(config: Config, clone_url: str) -> str:
    """People with their accounts and one password, and the repository; the password."""
    start.make_folder(config.data)
    database = prepare_database(config.database)
    password = make_password()
    hashed = hash_password(password)
    try:
        with database.write() as connection:
            for name, role in PEOPLE.items():
                person = accounts.add_person(connection, name, name.title(), role, now()).id
                accounts.set_password(connection, person, hashed, now())
                accounts.add_identity(connection, person, "forge", "github.com", name, now())
                accounts.add_identity(connection, person, "email", "", f"{name}@example.com", now())
            repositories.add(connection, NewRepository("github", SLUG, clone_url, "main"), now())
    finally:
        database.close()
    return password


def _open_pulls(forge: FakeForge, url: str) -> None:
    """As soon as somebody is there to be told."""
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2):
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    for branch, title in PULLS:
        forge.do.open_pull(SLUG, branch, title)


if __name__ == "__main__":
    sys.exit(main())
