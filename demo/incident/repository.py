"""The shop's repository: its sources, and commits by people and agents, each attested in a note. One for each seed."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from demo.incident.changes import Edit
from tidegate.change.git import open_repository
from tidegate.change.values import Person
from tidegate.provenance.annotate import Author, annotate_commits
from tidegate.provenance.notes import write_notes

SOURCES = Path(__file__).parent / "shop"
SERVICES = ("catalog", "cart", "payments", "checkout", "storefront")
PEOPLE = (("Alice Smith", "alice@example.com"), ("Bob Jones", "bob@example.com"), ("Carol Diaz", "carol@example.com"))
AGENTS = (("claude", "claude-opus-4-6"), ("cursor", "gpt-5.2"), ("codex", "gpt-5.1-codex"))
BEGAN = 1_790_000_000
OWNERS = """*                 @example/shop
/shop/catalog.py  @alice
/shop/cart.py     @alice
/shop/payments.py @bob
/shop/checkout.py @bob
/docker/          @carol
"""
CALLS = {"storefront": ("catalog", "cart", "checkout"), "checkout": ("cart", "payments"), "cart": ("catalog",)}


class Written(Struct, frozen=True):
    """One commit and the truth about it. `tool` is empty where a person typed it."""

    commit: str
    edit: Edit
    tool: str
    model: str
    person: str


class Shop:
    """The repository at `path`. Dates advance by an hour with every commit."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path = path
        self._random = random.Random(seed)
        self._clock = BEGAN
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self._lay_out()

    def git(self, *arguments: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": f"{self._clock} +0000",
            "GIT_COMMITTER_DATE": f"{self._clock} +0000",
        }
        done = subprocess.run(["git", *arguments], cwd=self.path, env=environment, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def write(self, edit: Edit, *, agent: bool | None = None) -> Written:
        """A commit of this edit on main, by an agent or by a person (by lot where `agent` says nothing)."""
        file = self.path / "shop" / f"{edit.service}.py"
        text = file.read_text()
        for old, new in edit.parts:
            if text.count(old) != 1:
                raise ValueError(f"{edit.title}: {old!r} is there {text.count(old)} times")
            text = text.replace(old, new)
        file.write_text(text)
        name, mail = self._random.choice(PEOPLE)
        by_agent = self._random.random() < 0.6 if agent is None else agent
        tool, model = self._random.choice(AGENTS) if by_agent else ("", "")
        return Written(self._commit(edit.title, name, mail, tool, model), edit, tool, model, mail)

    def head(self) -> str:
        return self.git("rev-parse", "main")

    def lay(self, revision: str, folder: Path) -> None:
        """The tree of a revision, as a release has it."""
        folder.mkdir(parents=True)
        packed = subprocess.run(
            ["git", "-C", str(self.path), "archive", revision], capture_output=True, check=True
        ).stdout
        subprocess.run(["tar", "x", "-C", str(folder)], input=packed, check=True)

    # Private

    def _lay_out(self) -> None:
        for names in (("__init__", "serve"), ("catalog", "cart"), ("payments", "checkout"), ("storefront",)):
            for name in names:
                self._write(f"shop/{name}.py", (SOURCES / f"{name}.py").read_text())
            name, mail = PEOPLE[len(names) % len(PEOPLE)]
            self._commit("Add " + " and ".join(n for n in names if n != "__init__"), name, mail, "", "")

        self._write("CODEOWNERS", OWNERS)
        self._write("compose.yaml", _compose())
        for service in SERVICES:
            self._write(f"docker/{service}.Dockerfile", _dockerfile(service))
        self._commit("Say how the services are built", *PEOPLE[2], "", "")

    def _write(self, path: str, text: str) -> None:
        target = self.path / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)

    def _commit(self, title: str, name: str, mail: str, tool: str, model: str) -> str:
        self._clock += 3600
        self.git("add", "-A")
        self.git("-c", f"user.name={name}", "-c", f"user.email={mail}", "commit", "-q", "-m", title)
        commit = self.git("rev-parse", "HEAD")
        person = Person(name, mail)
        session = f"session-{self._random.randrange(1 << 32):08x}" if tool else ""
        with open_repository(self.path) as repository:
            when = datetime.fromtimestamp(self._clock, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            author = Author(person, tool, model, session)
            found = annotate_commits(repository, "refs/notes/ai", [commit], author)
            notes = {one.commit: one.text for one in found if one.lines}
            write_notes(repository, "refs/notes/ai", notes, person, when, "Declare who wrote the lines\n")
        return commit


def write_all(shop: Shop, edits: Sequence[Edit]) -> tuple[Written, ...]:
    """A commit for each of the edits, in this order."""
    return tuple(shop.write(edit) for edit in edits)


# Private


def _compose() -> str:
    lines = ["services:"]
    for service in SERVICES:
        lines += [f"  {service}:", "    build:", "      context: .", f"      dockerfile: docker/{service}.Dockerfile"]
        if service in CALLS:
            lines += ["    depends_on:", *(f"      - {callee}" for callee in CALLS[service])]
    return "\n".join(lines) + "\n"


def _dockerfile(service: str) -> str:
    copied = f"shop/__init__.py shop/serve.py shop/{service}.py"
    return f'FROM python:3.11-slim\nWORKDIR /srv\nCOPY {copied} /srv/shop/\nCMD ["python", "-m", "shop.{service}"]\n'
