"""The process in which foreign content is analysed: bounded, without credentials, and gone afterwards.

    python -m tidegate.server.work.child SECONDS MEMORY_MB

reads one `Ask` and writes one or two `Answer`s, each on a line. Its parent (`analysis.py`) believes nothing else.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

LARGEST_ASK = 256 << 20
LARGEST_FILE = 1 << 30
OUT_OF_MEMORY = 71


def limit(seconds: int, memory_mb: int) -> None:
    """For this process and all that it starts; nothing can take it back."""
    for what, most in (
        (resource.RLIMIT_AS, memory_mb << 20),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))


def main(arguments: Sequence[str]) -> int:
    limit(int(arguments[0]), int(arguments[1]))
    from tidegate.errors import TidegateError
    from tidegate.server.work.questions import Ask, Failed

    try:
        ask = msgspec.json.decode(sys.stdin.buffer.read(LARGEST_ASK), type=Ask)
        with tempfile.TemporaryDirectory(prefix="tidegate-ask-") as folder:
            _answer(ask, Path(folder))
    except TidegateError as error:
        _say(Failed(str(error)[:2000]))
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


# Private


def _answer(ask: object, folder: Path) -> None:
    from tidegate.change.git import open_repository
    from tidegate.server.work.asked import answers
    from tidegate.server.work.questions import Ask

    assert isinstance(ask, Ask)  # noqa: S101 the decoder made it
    with open_repository(Path(ask.mirror), bare=True) as repository:
        for answer in answers(ask, repository, folder):
            _say(answer)


def _say(answer: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
