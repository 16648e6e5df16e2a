"""The fuzzer's team with the recorder installed: agents call their hooks, git calls its own, nobody annotates anything.

Beside what the fuzzer does with git, people here stash and pop, move files before they are committed, stage half
of what they wrote, and split a commit after the fact.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.world import PEOPLE, WAYS, World, Written
from tests.repos import Repo
from tidegate.agent.install.git_hooks import hook_text
from tidegate.change.values import Person
from tidegate.provenance.annotate import Author

ENTRY = Path(__file__).resolve().parents[2] / "src/tidegate/agent/hooks/entry.py"
AGENT_VARIABLES = ("CLAUDECODE", "CLAUDE_CODE", "AI_AGENT", "CURSOR_AGENT", "CODEX_SANDBOX", "GEMINI_CLI")


def call(
    folder: Path, name: str, payload: dict[str, object], home: Path, **more: str
) -> subprocess.CompletedProcess[bytes]:
    """One call of an agent's hook, as the agent makes it."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "TIDEGATE_DEBUG": "1"}
    return subprocess.run(
        [sys.executable, "-I", "-S", str(ENTRY), name],
        cwd=folder,
        env={**environment, **more},
        input=json.dumps(payload).encode(),
        capture_output=True,
        check=True,
    )


@dataclass
class HookedWorld(World):
    """The same world; who writes is `attested` when a hook could have seen it."""

    writer: str = ""
    person: Person = PEOPLE[0]
    hooks_off: bool = False
    home: Path = field(default_factory=Path)

    def somebody(self) -> tuple[str, Author | None]:
        writer, author = super().somebody()
        self.writer = writer
        self.hooks_off = not writer
        self.person = author.person if author else PEOPLE[0]
        return writer, author

    def insert(self, path: Path, writer: str, count: int) -> list[bytes]:
        return self.seen(path, writer, lambda: super(HookedWorld, self).insert(path, writer, count))

    def remove(self, path: Path) -> None:
        self.seen(path, self.writer, lambda: (super(HookedWorld, self).remove(path), [])[1])

    def resolve(self, writer: str) -> list[bytes] | None:
        """Conflicts are resolved by an agent with its hooks, or by somebody whom no hook sees."""
        names = [state[3:] for state in self.git("status", "--porcelain").splitlines() if state[:2] == "UU"]
        if writer.startswith("ai "):
            self.hook("PreToolUse", names)
        fresh = super().resolve(writer)
        if writer.startswith("ai "):
            self.hook("PostToolUse", names)
            for line in fresh or []:
                self.truth[line].attested = True
        return fresh

    def seen(self, path: Path, writer: str, edit: object) -> list[bytes]:
        """An edit between two calls of an agent's hook: within them the agent's, beside them the person's."""
        if not writer:
            return edit()  # type: ignore[no-any-return, operator]
        if writer.startswith("human "):
            self.hook("PostToolUse", [path.name])
            self.hook("PreToolUse", [])
        else:
            self.hook("PreToolUse", [path.name])
        fresh = edit()  # type: ignore[operator]
        self.hook("PreToolUse" if writer.startswith("human ") else "PostToolUse", [path.name])
        if writer.startswith("human "):
            self.hook("PostToolUse", [path.name])
        for line in fresh:
            self.truth[line].attested = True
        return fresh  # type: ignore[no-any-return]

    def hook(self, event: str, names: Sequence[str]) -> None:
        session = self.writer.removeprefix("ai ") if self.writer.startswith("ai ") else "idle"
        for name in names or [""]:
            payload = {
                "hook_event_name": event,
                "session_id": session,
                "cwd": str(self.repo.path),
                "model": "claude-opus-4-6",
                "tool_name": "Edit",
                "tool_input": {"file_path": str(self.repo.path / name)} if name else {},
            }
            call(self.repo.path, "claude-code", payload, self.home, **self.identity())

    def identity(self) -> dict[str, str]:
        return {"GIT_AUTHOR_NAME": self.person.name, "GIT_AUTHOR_EMAIL": self.person.email}

    def annotate(self, author: Author, fresh: list[bytes]) -> None:
        """Nobody annotates here."""

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
        off = ["-c", f"core.hooksPath={os.devnull}"] if self.hooks_off and arguments[:1] == ("commit",) else []
        return super().run(*off, *arguments, env={**self.identity(), "HOME": str(self.home), **(env or {})})

    def save(self, *arguments: str) -> None:
        """Whoever squashes the work of a branch has hooks too; a forge that has none is what recovery is for."""
        self.hooks_off = self.hooks_off and not any(text.startswith("Feature ") for text in arguments)
        super().save(*arguments)

    # What people do beside

    def stash(self) -> None:
        """Write, stash, commit something else, pop, commit."""
        self.mark("stash", set(self.edit(self.somebody()[0])))
        self.git("add", "-A")
        self.git("stash", "-q")
        (self.repo.path / f"other{len(self.log)}.md").write_text("nothing\n")
        self.save("commit", "-m", f"beside {self.repo.clock}")
        self.git("stash", "pop", "-q")
        self.save("commit", "-m", f"popped {self.repo.clock}")

    def move_uncommitted(self) -> None:
        """A file that is written, moved, and only then committed."""
        writer, _ = self.somebody()
        path = self.repo.path / f"draft{len(self.log)}.txt"
        path.write_bytes(b"")
        self.mark("mv", set(self.insert(path, writer, 5)))
        path.rename(self.repo.path / f"final{len(self.log)}.txt")
        self.save("commit", "-m", f"moved {self.repo.clock}")

    def stage_half(self) -> None:
        """Two edits of two writers at the ends of one file; the first is committed alone, then the rest."""
        path = self.repo.path / self.random.choice(self.files())
        whole: list[list[bytes]] = []
        for at_end in (False, True):
            writer = ""
            while not writer:  # whoever types in this work tree unseen is the human at its keyboard
                writer, _ = self.somebody()
            whole.append([self.new_line(writer) for _ in range(3)])
            lines = self.lines_of(path)
            text = [*lines, *whole[-1]] if at_end else [*whole[-1], *lines]
            self.seen(
                path, writer, lambda text=text, fresh=whole[-1]: (path.write_bytes(b"\n".join(text) + b"\n"), fresh)[1]
            )
        self.mark("half staged", [line for lines in whole for line in lines])
        everything = path.read_bytes()
        path.write_bytes(b"\n".join(line for line in self.lines_of(path) if line not in whole[1]) + b"\n")
        self.git("add", "-A")
        path.write_bytes(everything)
        self.tick()
        self.hooks_off = False
        self.git("commit", "-q", "-m", f"half {self.repo.clock}")
        self.save("commit", "-m", f"rest {self.repo.clock}")

    def split(self) -> None:
        """A commit of two files is taken back and made again as two."""
        writer, _ = self.somebody()
        for name in self.files()[:2]:
            self.mark("split", set(self.insert(self.repo.path / name, writer, 3)))
        self.save("commit", "-m", f"both {self.repo.clock}")
        self.git("reset", "-q", "HEAD~1")
        for name in self.files()[:2]:
            self.tick()
            self.git("add", name)
            self.git("commit", "-q", "--allow-empty", "-m", f"one {name} {self.repo.clock}")


STEPS = (
    "commit commit amend amend rename revert rebase squash_some merge stash move_uncommitted stage_half split".split()
)


def play_hooked(path: Path, seed: int) -> HookedWorld:
    """A repository after a random sequence of operations of a team with hooks; everything follows from the seed."""
    import random

    home = path.parent / "home"
    home.mkdir(parents=True)
    world = HookedWorld(Repo.init(path), random.Random(seed), home=home)
    world.hooks_off = True
    for hook in ("prepare-commit-msg", "post-commit", "post-rewrite"):
        file = path / ".git/hooks" / hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(hook_text(hook))
        file.chmod(0o755)
    World.edit(world, "")
    World.edit(world, "")
    world.save("commit", "-m", "begin")
    for number in range(world.random.randint(1, 2)):
        branch = f"feature-{number}"
        world.git("checkout", "-q", "-b", branch, "main")
        world.commit()
        for _ in range(world.random.randint(1, 4)):
            name = world.random.choice(STEPS)
            world.log.append(name)
            if name in ("rebase", "squash_some", "merge"):
                getattr(world, name)("main")
            else:
                world.commit(amend=True) if name == "amend" else getattr(world, name)()
        if world.random.random() < 0.5:
            world.git("checkout", "-q", "main")
            world.commit()
        way = world.random.choice(WAYS)
        world.log.append(way)
        getattr(world, way)(branch)
        if world.random.random() < 0.5:
            world.git("branch", "-q", "-D", branch)
    return world


__all__ = ["ENTRY", "HookedWorld", "Written", "call", "play_hooked"]
