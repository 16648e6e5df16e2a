"""Packages that a table is distilled from, in a throw-away environment, never in the project's."""

from __future__ import annotations

import subprocess
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def packages(requirement: str) -> Iterator[Path]:
    """The folder that holds this pinned package, without what it depends on."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "venv"
        venv.create(environment, with_pip=True)
        pip = (str(environment / "bin/python"), "-m", "pip", "install", "-q", "--no-deps")
        subprocess.run((*pip, requirement), check=True)
        (found,) = environment.glob("lib/*/site-packages")
        yield found
