"""The map of an environment in a process of its own: what stands in a mirror is somebody else's.

    python -m tidegate.server.production.mapped SECONDS MEMORY_MB

reads one `Asked` and writes one `Map`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.operate.environment.alerts import Alerted
from tidegate.operate.environment.deployments import Deployed
from tidegate.operate.environment.prometheus import Prometheus
from tidegate.operate.environment.spans import Seen

if TYPE_CHECKING:
    from tidegate.change.git import Repository
    from tidegate.operate.environment.code import Code

LARGEST = 64 << 20


class Mirror(Struct, frozen=True):
    """A repository: its name for people, its mirror, and the branch that is read."""

    slug: str
    path: str
    branch: str


class Asked(Struct, frozen=True, kw_only=True):
    """All that the service knows of an environment, and the repositories to read."""

    environment: str
    mirrors: tuple[Mirror, ...]
    deployed: Deployed
    seen: Seen
    alerted: Alerted
    servers: tuple[Prometheus, ...] = ()
    unknowns: tuple[str, ...] = ()


def main(arguments: Sequence[str]) -> int:
    from tidegate.change.git import open_repository
    from tidegate.operate.environment.sources import Given, learn
    from tidegate.server.work.child import OUT_OF_MEMORY, limit

    limit(int(arguments[0]), int(arguments[1]))
    try:
        asked = msgspec.json.decode(sys.stdin.buffer.read(LARGEST), type=Asked)
        code: list[Code] = []
        unknowns = list(asked.unknowns)
        with ExitStack() as stack:
            for mirror in asked.mirrors:
                if not Path(mirror.path).is_dir():
                    unknowns.append(f"{mirror.slug} was not fetched yet")
                    continue
                try:
                    repository = stack.enter_context(open_repository(Path(mirror.path), bare=True))
                    code.append(_code(repository, mirror))
                except InputError as error:
                    unknowns.append(f"{mirror.slug} could not be read: {error.what}")
        given = Given(
            environment=asked.environment,
            code=tuple(code),
            deployed=(asked.deployed,),
            seen=(asked.seen,),
            servers=asked.servers,
            alerted=(asked.alerted,),
            unknowns=tuple(unknowns),
        )
        sys.stdout.buffer.write(msgspec.json.encode(learn(given)))
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


# Private


def _code(repository: Repository, mirror: Mirror) -> Code:
    from tidegate.change.configuration import read_settings
    from tidegate.operate.environment.code import read_code

    commit = repository.resolve(f"refs/heads/{mirror.branch}")
    settings = read_settings(repository, commit, {}).settings
    return read_code(repository, commit, settings, f"{mirror.slug} at {commit[:10]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
