"""Scripts of the workspace that a command runs: read where they are there, bounded, and never run."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from tidegate.agent.guard.frozen import replace
from tidegate.agent.guard.values import Call, Inner, Said, unseen

LARGEST_SCRIPT = 200_000
MOST_ARGUMENTS = 30
_PASSES_ON = re.compile(r"\$(?:[@*1]|\{[@*1])")
_SHEBANG = re.compile(r"#!\s*\S*?(?:/env\s+(?:-S\s+)?)?([\w.+-]+)(?:\s|$)")
_LANGUAGES = {
    ".py": "python",
    ".js": "node",
    ".mjs": "node",
    ".cjs": "node",
    ".ts": "node",
    ".mts": "node",
    ".rb": "ruby",
    ".pl": "perl",
    ".php": "php",
    ".lua": "lua",
    ".ps1": "pwsh",
    ".r": "Rscript",
    ".R": "Rscript",
}
_READ_IT = "write the script first, look at it, and run it in a command of its own"


def read_script(
    call: Call, path: str, code: str = "", sourced: bool = False, arguments: tuple[str, ...] = ()
) -> Iterator[Said]:
    """What a script file runs. One that is made by the same line, or cannot be read, is not known and held."""
    where = resolve(call, path)
    if where is None and not call.place.typed and call.place.folder is not None:
        return
    if where is None:
        yield call.concern("unseen-script", "which script it runs is only known when it runs", _READ_IT)
        return
    if not call.place.typed and str(where) in (call.place.zero, call.place.source):
        yield from (Inner(arguments[at:], code="list") for at in range(min(len(arguments), MOST_ARGUMENTS)))
        return
    made = "*" in call.written or where.name in call.written or ("?" in call.written and not where.exists())
    if made and "node_modules" not in where.parts:
        yield call.concern("unseen-script", f"{where.name} is made or fetched by the same line", _READ_IT)
        return
    try:
        text = read_bounded(where / "index.js" if code == "node" and where.is_dir() else where)
    except FileNotFoundError:
        return
    except OSError as error:
        reason = error.strerror or "it is no plain file of a bearable size"
        yield call.concern("unseen-script", f"{where.name} cannot be read: {reason}", _READ_IT)
        return
    if text is None:
        return
    own = {"source": str(where), "zero": call.place.zero if sourced else str(where)}
    place = replace(call.place, typed=False, depth=call.place.depth + 1, **own)
    first = _SHEBANG.match(text)
    named = _LANGUAGES.get(where.suffix, "")
    language = code or (named if first is None else re.sub(r"[\d.]+$", "", first[1]))
    shell = language in ("", "sh", "bash", "zsh", "dash", "ksh", "ash")
    if shell and _PASSES_ON.search(text):
        yield from (Inner(arguments[at:], code="list") for at in range(min(len(arguments), MOST_ARGUMENTS)))
    yield Inner(script=text, code="" if shell else language, place=place, piped=call.piped)


def resolve(call: Call, path: str) -> Path | None:
    """The file that a path names from where the call runs; None where that cannot be seen."""
    if unseen(path) or call.place.away:
        return None
    if path.startswith("/"):
        return Path(path)
    return None if call.place.folder is None else call.place.folder / path


def read_bounded(path: Path) -> str | None:
    """The text of a plain file, None for a binary one. Raises OSError, also for what is too large or no file."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError
        data = stream.read(LARGEST_SCRIPT + 1)
    if b"\0" in data[:4_000]:
        return None
    if len(data) > LARGEST_SCRIPT:
        raise OSError
    return data.decode("utf-8", "replace").replace("\0", "")
