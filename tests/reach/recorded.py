"""A small project for the recorder's tests, and the interpreters that can run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from tests.repos import Repo

_PURE = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "xdist", "execnet", "py.py")

PROJECT = {
    "pkg/__init__.py": "",
    "pkg/core.py": """
        import functools

        def at_import():
            return 1

        VALUE = at_import()

        def used():
            def inner():
                return helper()
            return inner()

        def helper():
            return [n for n in range(2)]

        def unused():
            return 0

        def logged(function):
            @functools.wraps(function)
            def wrapper(*args):
                return function(*args)
            return wrapper

        class Base:
            def run(self):
                return self.step()

            def step(self):
                return 0

        class Derived(Base):
            @logged
            def step(self):
                return 1

            @property
            def size(self):
                return 2

        def numbers():
            yield 1
            yield 2

        def connect():
            return {}

        def disconnect():
            return None

        def per_module():
            return 1

        def in_thread():
            return 1

        def in_child():
            return 1

        def in_fork():
            return 1

        def breaks():
            raise ValueError

        def only_for_one(n):
            return n
    """,
    "tests/conftest.py": """
        import pytest
        from pkg import core

        @pytest.fixture(scope="session")
        def connection():
            yield core.connect()
            core.disconnect()

        @pytest.fixture(scope="module")
        def wide(connection):
            return core.per_module()

        @pytest.fixture
        def lazy(request):
            return request.getfixturevalue("connection")
    """,
    "tests/shared.py": """
        from pkg import core

        class Shared:
            def test_inherited(self):
                assert core.Derived().size == 2
    """,
    "tests/test_core.py": """
        import multiprocessing
        import subprocess
        import sys
        import threading
        import unittest

        import pytest
        from pkg import core
        from shared import Shared

        def test_used():
            assert core.used() == [0, 1]

        def test_used_again():
            assert core.used() == [0, 1]

        @pytest.mark.parametrize("n", [1, 2, 3])
        def test_folded(n):
            if n == 2:
                core.only_for_one(n)

        class TestClasses(Shared):
            def test_dispatch(self):
                assert core.Derived().run() == 1

        def test_generator():
            assert list(core.numbers()) == [1, 2]

        def test_first_connection(connection):
            pass

        def test_second_connection(wide):
            pass

        def test_lazy(lazy):
            pass

        def test_thread():
            thread = threading.Thread(target=core.in_thread)
            thread.start()
            thread.join()

        def test_child():
            subprocess.run([sys.executable, "-c", "from pkg import core; core.in_child()"], check=True)

        def test_fork():
            child = multiprocessing.get_context("fork").Process(target=core.in_fork)
            child.start()
            child.join()

        def test_fails():
            core.breaks()

        @pytest.mark.skip(reason="never")
        def test_skipped():
            core.used()

        class Old(unittest.TestCase):
            def setUp(self):
                core.helper()

            def test_old(self):
                self.assertEqual(1, 1)
    """,
    "pytest.ini": """
        [pytest]
        pythonpath = . tests
        addopts = -p no:cacheprovider
        filterwarnings =
            error
            ignore:.*multi-threaded.*:DeprecationWarning
    """,
}

EXPECTED = {
    "test_used": {"used", "used.inner", "helper"},
    "test_used_again": {"used", "used.inner", "helper"},
    "test_folded": {"only_for_one"},
    "TestClasses.test_dispatch": {"Base.run", "Derived.step", "logged.wrapper"},
    "TestClasses.test_inherited": {"Derived.size"},
    "test_generator": {"numbers"},
    "test_first_connection": {"connect", "disconnect"},
    "test_second_connection": {"connect", "disconnect", "per_module"},
    "test_lazy": {"connect", "disconnect"},
    "test_thread": {"in_thread"},
    "test_child": {"at_import", "in_child", "logged"},
    "test_fork": {"in_fork"},
    "test_fails": {"breaks"},
    "test_skipped": set(),
    "Old.test_old": {"helper"},
}
"""What each test of tests/test_core.py executes of pkg/core.py; a child process imports it anew."""


def make_project(path: Path) -> Repo:
    """The project as a repository with one commit."""
    repo = Repo.init(path)
    for name, text in PROJECT.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "Add a project")
    return repo


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for running pytest in another interpreter: the pure packages that pytest needs, and no more."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "PYTHON"))}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **(extra or {})}


def pure_packages(folder: Path) -> Path:
    """A folder with pytest and what it needs, for an interpreter that has none."""
    import pytest

    site = Path(pytest.__file__).parent.parent
    folder.mkdir(exist_ok=True)
    for found in site.iterdir():
        if found.name in _PURE:
            (folder / found.name).symlink_to(found)
    return folder


def modern_python() -> str | None:
    """An interpreter with `sys.monitoring`, None where this machine has none."""
    if sys.version_info >= (3, 12):
        return sys.executable
    names = [f"python3.{minor}" for minor in (12, 13, 14)]
    candidates = [found for name in names if (found := shutil.which(name))]
    for root in (Path.home() / ".pyenv" / "versions", Path("/opt/hostedtoolcache/Python")):
        candidates += [str(found) for name in names for found in sorted(root.glob(f"3.*/**/bin/{name}"))]
    probe = "import sys; sys.exit(sys.version_info < (3, 12))"
    return next(
        (c for c in candidates if subprocess.run([c, "-c", probe], capture_output=True, check=False).returncode == 0),
        None,
    )
