"""A PostgreSQL of our own: made by initdb in a scratch folder, reached by a socket there, with fsync on."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

USER = "tidegate"


class PostgreSQL:
    """A running server. `folder` holds its files, which a test may look into."""

    def __init__(self, folder: Path, sockets: Path) -> None:
        self.folder = folder
        self._sockets = sockets
        self._names = (f"t{number}" for number in count())

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://{USER}@/{name}?host={self._sockets}"

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        name = next(self._names)
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self.url(name)


def find_programs() -> Path | None:
    """The folder with the newest initdb and postgres, or None."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if folders:
        return max(folders, key=lambda folder: int(folder.parent.name))
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@contextmanager
def running_postgres(folder: Path) -> Iterator[PostgreSQL]:
    """Skips the test where PostgreSQL is not installed, and fails it in CI."""
    programs = find_programs()
    if programs is None:
        message = "not run: PostgreSQL is not installed (Debian: postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    user = _user()
    with tempfile.TemporaryDirectory(prefix="tg-pg-", ignore_cleanup_errors=True) as short:
        # A socket's path has at most 107 bytes, and another user must reach it.
        home = Path(short)
        home.chmod(0o755)
        data, sockets = home / "data", home / "s"
        sockets.mkdir()
        if user is not None:
            os.chown(home, *user)
            os.chown(sockets, *user)
        _run(programs / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N", user=user)
        settings = (
            "fsync=on",
            "full_page_writes=on",
            "synchronous_commit=on",
            "listen_addresses=",
            "max_connections=60",
        )
        options = " ".join(f"-c {setting}" for setting in (*settings, f"unix_socket_directories={sockets}"))
        control = (programs / "pg_ctl", "-D", data, "-w", "-t", "60")
        _run(*control, "-l", home / "log", "-o", options, "start", user=user)
        try:
            yield PostgreSQL(data, sockets)
        finally:
            _run(*control, "-m", "immediate", "stop", user=user)


# Private


def _user() -> tuple[int, int] | None:
    """PostgreSQL refuses to run as root: then it runs as its own user, or as nobody."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    return 65534, 65534


def _run(*command: str | Path, user: tuple[int, int] | None) -> None:
    identity = {} if user is None else {"user": user[0], "group": user[1], "extra_groups": []}
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        check=False,
        **identity,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.decode(errors='replace')[-2000:]}")
