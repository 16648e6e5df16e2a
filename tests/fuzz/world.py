"""A random team at work on files whose every line is unique: a line's text says who wrote it, whatever git does to it.

People and agents commit, amend, rebase, squash, pick, revert, rename and merge with conflicts, on branches that a forge
then merges in one of its ways. Commits are annotated when they are made and never again: what a rewrite strands stays
stranded, as it does on a forge.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.change.values import Person
from tidegate.errors import InputError
from tidegate.provenance.annotate import Author, Part, annotate_commits
from tidegate.provenance.notes import write_notes

PEOPLE = [Person("Alice Smith", "alice@example.com"), Person("Bob Jones", "bob@example.com")]
NOW = "2026-05-01T12:00:00Z"
REF = "refs/notes/ai"


@dataclass
class Written:
    """Who wrote a line (`ai SESSION`, `human PERSON`, "" for somebody who never says) and what happened to it."""

    writer: str
    attested: bool = False
    history: list[str] = field(default_factory=list)


@dataclass
class World:
    """One repository and the truth about its lines."""

    repo: Repo
    random: random.Random
    truth: dict[bytes, Written] = field(default_factory=dict)
    pulls: int = 0
    log: list[str] = field(default_factory=list)

    # Single steps of a person or an agent

    def commit(self, *, amend: bool = False) -> None:
        """Write lines as somebody, commit, and annotate exactly these lines, or say nothing about them."""
        writer, author = self.somebody()
        fresh = self.edit(writer)
        if amend:
            self.mark("amend", self.tip_lines())
        self.save("commit", "--amend", "--no-edit") if amend else self.save("commit", "-m", f"work {self.repo.clock}")
        if author is not None and not (amend and self.random.random() < 0.5):
            self.annotate(author, fresh)

    def rename(self) -> None:
        files = self.files()
        old = self.random.choice(files)
        new = f"moved{len(self.log)}.txt"
        (self.repo.path / old).rename(self.repo.path / new)
        writer, author = self.somebody()
        fresh = self.insert(self.repo.path / new, writer, 1) if self.random.random() < 0.5 else []
        self.mark("rename", self.lines_of(self.repo.path / new))
        self.save("commit", "-m", f"move {self.repo.clock}")
        if author is not None and fresh:
            self.annotate(author, fresh)

    def revert(self) -> None:
        before = set(self.all_lines())
        if self.attempt("revert", "--no-edit", "HEAD"):
            self.mark("revert", set(self.all_lines()) - before)

    def rebase(self, onto: str) -> None:
        self.mark("rebase", self.branch_lines(onto))
        options = ["--ignore-date"] if self.random.random() < 0.2 else []
        self.attempt("rebase", *options, onto)

    def squash_some(self, onto: str) -> None:
        """`rebase -i` that folds some commits into those before them."""
        self.mark("rebase -i", self.branch_lines(onto))
        word = self.random.choice(["fixup", "squash"])
        editor = f"sed -i -e '2~2s/^pick/{word}/'"
        self.attempt("rebase", "-i", onto, env={"GIT_SEQUENCE_EDITOR": editor, "GIT_EDITOR": "true"})

    def merge(self, other: str) -> None:
        """A merge commit; conflicts are resolved by keeping both sides and adding a line."""
        writer, author = self.somebody()
        self.tick()
        done = self.run("merge", "--no-ff", "-m", f"merge {other} {self.repo.clock}", other)
        if done.returncode:
            fresh = self.resolve(writer)
            if fresh is None:
                self.run("merge", "--abort")
                return
            self.save("commit", "-m", f"merge {other} {self.repo.clock}")
            if author is not None and fresh:
                self.annotate(author, fresh)

    # Ways in which a forge, or a person, brings a branch to main

    def forge_squash(self, branch: str) -> None:
        self.mark("forge squash", self.branch_lines("main", branch))
        title = f"Feature {self.pulls} (#{self.publish(branch)})"
        self.git("checkout", "-q", "main")
        self.squash(branch, title)

    def local_squash(self, branch: str) -> None:
        self.mark("local squash", self.branch_lines("main", branch))
        self.git("checkout", "-q", "main")
        self.squash(branch, f"Feature without a number {self.repo.clock}")

    def rebase_merge(self, branch: str) -> None:
        """The commits one by one on main, by the forge's committer; the pull request keeps its own."""
        self.mark("rebase merge", self.branch_lines("main", branch))
        self.publish(branch)
        self.git("checkout", "-q", "main")
        listed = self.git("rev-list", "--reverse", "--no-merges", f"main..{branch}").split()
        if listed:
            self.attempt("cherry-pick", "--allow-empty", *listed)

    def pick(self, branch: str) -> None:
        self.mark("cherry-pick", self.branch_lines("main", branch))
        self.git("checkout", "-q", "main")
        listed = self.git("rev-list", "--reverse", "--no-merges", f"main..{branch}").split()
        if listed:
            self.attempt("cherry-pick", "-x", self.random.choice(listed))

    def merge_commit(self, branch: str) -> None:
        self.git("checkout", "-q", "main")
        self.merge(branch)

    # The truth

    def somebody(self) -> tuple[str, Author | None]:
        person = self.random.choice(PEOPLE)
        kind = self.random.choice(["ai", "ai", "human", "silent"])
        if kind == "silent":
            return "", None
        if kind == "human":
            return f"human {person}", Author(person)
        session = f"session-{len(self.truth)}"
        return f"ai {session}", Author(person, "claude", "claude-opus-4-6", session)

    def edit(self, writer: str) -> list[bytes]:
        fresh: list[bytes] = []
        files = self.files()
        if len(files) < 2 or (len(files) < 6 and self.random.random() < 0.2):
            path = self.repo.path / f"file{len(self.log)}-{self.pulls}.txt"
            path.write_bytes(b"")
            fresh += self.insert(path, writer, self.random.randint(4, 12))
        else:
            for name in self.random.sample(files, self.random.randint(1, 2)):
                self.remove(self.repo.path / name)
                fresh += self.insert(self.repo.path / name, writer, self.random.randint(1, 5))
        return fresh

    def insert(self, path: Path, writer: str, count: int) -> list[bytes]:
        lines = self.lines_of(path)
        fresh = [self.new_line(writer) for _ in range(count)]
        at = self.random.randint(0, len(lines))
        split = self.random.randint(0, count)
        other = self.random.randint(at, len(lines))
        lines[other:other] = fresh[split:]
        lines[at:at] = fresh[:split]
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return fresh

    def remove(self, path: Path) -> None:
        lines = self.lines_of(path)
        if len(lines) > 6 and self.random.random() < 0.5:
            at = self.random.randrange(len(lines) - 2)
            del lines[at : at + self.random.randint(1, 2)]
            path.write_bytes(b"".join(line + b"\n" for line in lines))

    def new_line(self, writer: str) -> bytes:
        line = b"line %06d %012x" % (len(self.truth), self.random.getrandbits(48))
        self.truth[line] = Written(writer)
        return line

    def mark(self, what: str, lines: set[bytes] | list[bytes]) -> None:
        for line in lines:
            if line in self.truth:
                self.truth[line].history.append(what)

    # Git

    def annotate(self, author: Author, fresh: list[bytes]) -> None:
        """A note on HEAD that claims exactly these lines, by the product's own code."""
        where: dict[bytes, tuple[bytes, int]] = {}
        for name in self.files():
            for number, line in enumerate(self.lines_of(self.repo.path / name), 1):
                where[line] = (name.encode(), number)
        parts = [Part(where[line][0], where[line][1], where[line][1]) for line in fresh if line in where]
        with open_repository(self.repo.path) as repository:
            head = repository.resolve("HEAD")
            try:
                found = annotate_commits(repository, REF, [head], author, parts=parts)
            except InputError:  # a line that the merge did not add after all
                return
            write_notes(repository, REF, {one.commit: one.text for one in found}, author.person, NOW, "note\n")
        for line in fresh:
            self.truth[line].attested = line in where

    def publish(self, branch: str) -> int:
        self.pulls += 1
        self.git("update-ref", f"refs/pull/{self.pulls}/head", branch)
        return self.pulls

    def squash(self, branch: str, title: str) -> None:
        self.tick()
        done = self.run("merge", "--squash", branch)
        if done.returncode and self.resolve(self.somebody()[0]) is None:
            self.git("reset", "-q", "--hard")
            return
        self.save("commit", "--allow-empty", "-m", title)

    def resolve(self, writer: str) -> list[bytes] | None:
        """Both sides of every conflict and a new line; None when files themselves conflict."""
        states = self.git("status", "--porcelain").splitlines()
        if any(state[:2] in ("DD", "AU", "UD", "UA", "DU", "AA") for state in states):
            return None
        fresh: list[bytes] = []
        for name in [state[3:] for state in states if state[:2] == "UU"]:
            lines = self.lines_of(self.repo.path / name)
            kept = []
            for line in lines:
                if line.startswith(b"======="):
                    fresh.append(self.new_line(writer))
                    kept.append(fresh[-1])
                elif not line.startswith((b"<<<<<<<", b">>>>>>>", b"|||||||")):
                    kept.append(line)
            (self.repo.path / name).write_bytes(b"".join(line + b"\n" for line in dict.fromkeys(kept)))
        self.mark("conflict", set(self.all_lines()) & set(fresh))
        return fresh

    def attempt(self, *arguments: str, env: dict[str, str] | None = None) -> bool:
        self.tick()
        if self.run(*arguments, env=env).returncode == 0:
            return True
        for word in ("rebase", "cherry-pick", "revert"):
            if word == arguments[0]:
                self.run(word, "--abort")
        self.git("reset", "-q", "--hard")
        return False

    def save(self, *arguments: str) -> None:
        self.tick()
        self.git("add", "-A")
        self.git(*arguments[:1], "-q", "--allow-empty", *arguments[1:])

    def tick(self) -> None:
        self.repo.clock += 60

    def git(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, (arguments, done.stderr, self.log)
        return done.stdout.decode("utf-8", "backslashreplace").strip("\n")

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
        date = f"{self.repo.clock} +0000"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Alice Smith",
            "GIT_AUTHOR_EMAIL": "alice@example.com",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_NAME": "Forge",
            "GIT_COMMITTER_EMAIL": "forge@example.com",
            "GIT_COMMITTER_DATE": date,
            "GIT_EDITOR": "true",
            **(env or {}),
        }
        return subprocess.run(
            ["git", *arguments], cwd=self.repo.path, env=environment, capture_output=True, check=False
        )

    def files(self) -> list[str]:
        return sorted(path.name for path in self.repo.path.glob("*.txt"))

    def lines_of(self, path: Path) -> list[bytes]:
        return path.read_bytes().splitlines()

    def all_lines(self) -> list[bytes]:
        return [line for name in self.files() for line in self.lines_of(self.repo.path / name)]

    def branch_lines(self, base: str, head: str = "HEAD") -> set[bytes]:
        return set(re.findall(rb"^\+(line .*)$", self.run("diff", f"{base}...{head}").stdout, re.MULTILINE))

    def tip_lines(self) -> set[bytes]:
        return set(re.findall(rb"^\+(line .*)$", self.run("show", "--format=", "HEAD").stdout, re.MULTILINE))


STEPS = ("commit", "commit", "commit", "amend", "amend", "rename", "revert", "rebase", "squash some", "merge main")
WAYS = (
    "forge_squash",
    "forge_squash",
    "forge_squash",
    "rebase_merge",
    "rebase_merge",
    "local_squash",
    "pick",
    "merge_commit",
)


def play(path: Path, seed: int) -> World:
    """A repository after a random sequence of some twenty operations; everything follows from the seed."""
    world = World(Repo.init(path), random.Random(seed))
    world.edit("")
    world.edit("")
    world.save("commit", "-m", "begin")
    for number in range(world.random.randint(2, 3)):
        branch = f"feature-{number}"
        start = world.random.choice(["main", "main", "main~1"])
        world.git("checkout", "-q", "-b", branch, start if world.run("rev-parse", start).returncode == 0 else "main")
        world.commit()
        for _ in range(world.random.randint(1, 4)):
            step(world, world.random.choice(STEPS))
        if world.random.random() < 0.5:
            world.git("checkout", "-q", "main")
            world.log.append("main")
            world.commit()
        way = world.random.choice(WAYS)
        world.log.append(way)
        getattr(world, way)(branch)
        if world.random.random() < 0.5:
            world.git("branch", "-q", "-D", branch)
    return world


def step(world: World, name: str) -> None:
    world.log.append(name)
    if name == "commit":
        world.commit()
    elif name == "amend":
        world.commit(amend=True)
    elif name == "rename":
        world.rename()
    elif name == "revert":
        world.revert()
    elif name == "rebase":
        world.rebase("main")
    elif name == "squash some":
        world.squash_some("main")
    else:
        world.merge("main")
