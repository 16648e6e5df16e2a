"""cosmic-ray on the lines of one commit, as somebody would run it who has not got Tidegate.

Its own filter (`cr-filter-git`) leaves only what the commit changed, in the same files; each of its mutants is one run
of the same tests, stopped at the first failure.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple


class Tried(NamedTuple):
    """What cosmic-ray came to: `mutants` on the changed lines, those `done` in the time, and wall seconds for them."""

    mutants: int
    done: int
    killed: int
    seconds: float


class Ask(NamedTuple):
    """One commit, the files to mutate, the tests' command and Python, and the folders that it imports from."""

    clone: Path
    commit: str
    files: tuple[str, ...]
    command: str
    python: str


def try_cosmic_ray(ask: Ask, tools: Path, seconds: int) -> Tried:
    """Run it in a clone of its own. `tools` is the `bin` folder where cosmic-ray is installed."""
    with tempfile.TemporaryDirectory() as name:
        tree, session = Path(name) / "tree", Path(name) / "session.sqlite"
        subprocess.run(["git", "clone", "-q", "--shared", ask.clone, tree], check=True)
        subprocess.run(["git", "-C", tree, "checkout", "-q", "--detach", ask.commit], check=True)
        config = Path(name) / "config.toml"
        config.write_text(_config(ask), encoding="utf-8")
        roots = os.pathsep.join([str(tree / "src"), str(tree)])
        environment = {**os.environ, "PYTHONPATH": roots, "PYTHONDONTWRITEBYTECODE": "1"}
        for command in (("cosmic-ray", "init", config, session), ("cr-filter-git", "--config", config, session)):
            subprocess.run([tools / command[0], *command[1:]], cwd=tree, env=environment, check=True)
        start = time.monotonic()
        process = subprocess.Popen(
            [tools / "cosmic-ray", "exec", config, session], cwd=tree, env=environment, start_new_session=True
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        spent = time.monotonic() - start
        return _read(session, spent)


# Private


def _config(ask: Ask) -> str:
    command = ask.command.replace("pytest", f"{ask.python} -m pytest -x -p no:cacheprovider", 1)
    return (
        f"[cosmic-ray]\nmodule-path = {json.dumps(ask.files)}\ntimeout = 60.0\nexcluded-modules = []\n"
        f'test-command = {json.dumps(command)}\n[cosmic-ray.distributor]\nname = "local"\n'
        f'[cosmic-ray.filters.git-filter]\nbranch = "{ask.commit}^"\n'
    )


def _read(session: Path, seconds: float) -> Tried:
    with sqlite3.connect(session) as database:
        every = database.execute("select count(*) from work_items").fetchone()[0]
        rows = database.execute("select worker_outcome, test_outcome from work_results").fetchall()
    skipped = sum("skipped" in str(worker).lower() for worker, _ in rows)
    killed = sum("killed" in str(test).lower() for _, test in rows)
    return Tried(every - skipped, len(rows) - skipped, killed, seconds)
