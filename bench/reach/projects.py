"""The projects of the benchmark: where their package and tests are, how their suite runs, and the split.

The split was fixed before anything was measured: rules and probabilities are fitted on `design`, figures are reported
on `report`. Commits are pinned, so that truth and figures can be had again.
"""

from __future__ import annotations

from typing import NamedTuple

DESIGN = ("click", "flask", "jinja", "packaging", "rich", "structlog")
REPORT = ("express", "httpx", "marshmallow", "pluggy", "starlette", "werkzeug")
OLD_MAPS = ("flask", "marshmallow", "starlette", "structlog", "jinja")
AGES = (20, 100)


class Project(NamedTuple):
    """One project. `package` is the folder whose functions are scored; `install` are pip's requirements."""

    name: str
    commit: str
    package: str
    install: tuple[str, ...]
    extras: str = ""
    pytest: tuple[str, ...] = ()


PROJECTS = (
    Project("flask", "2ac89889", "src/flask", ("pytest<9", "asgiref", "greenlet", "python-dotenv")),
    Project("click", "2c8cd3ac", "src/click", ("pytest<9",)),
    Project("marshmallow", "341b927f", "src/marshmallow", ("pytest<9", "simplejson", "pytz")),
    Project("pluggy", "e382e72", "src/pluggy", ("pytest<9", "pytest-benchmark", "coverage")),
    Project(
        "starlette",
        "cb8f84f5",
        "starlette",
        ("pytest==8.4.1", "trio==0.30.0", "anyio<4.10", "importlib-metadata"),
        extras="[full]",
    ),
    Project(
        "httpx",
        "ae1b9f66",
        "httpx",
        (
            "pytest==8.4.1",
            "chardet==5.2.0",
            "cryptography==45.0.7",
            "trio==0.31.0",
            "trustme==1.2.1",
            "uvicorn==0.35.0",
        ),
        extras="[brotli,cli,http2,socks,zstd]",
    ),
    Project("rich", "42899d8a", "rich", ("pytest<9", "attrs")),
    Project(
        "structlog",
        "025edaf",
        "src/structlog",
        ("pytest<9", "pytest-asyncio", "simplejson", "time-machine", "rich", "twisted", "pretend", "freezegun"),
    ),
    Project("jinja", "5ef70112", "src/jinja2", ("pytest<9", "pytest-timeout", "trio")),
    Project(
        "werkzeug",
        "1b00618e",
        "src/werkzeug",
        ("pytest<9", "pytest-timeout", "cffi", "cryptography", "ephemeral-port-reserve", "watchdog"),
        pytest=("--ignore=tests/test_serving.py",),
    ),
    Project("packaging", "053c8846", "src/packaging", ("pytest<9", "hypothesis", "pretend", "tomli_w", "pip")),
)

BY_NAME = {project.name: project for project in PROJECTS}
