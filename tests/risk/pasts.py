"""Histories to learn from: changes by several people, of which some broke and were repaired a month later."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from tests.repos import Repo

DAY = 86_400
START = 1_600_000_000
PEOPLE = ("Ada <ada@example.com>", "Ben <ben@example.com>", "Cyd <cyd@example.com>")
AREAS = ("auth", "cart", "mail", "page")


def repaired_past(path: Path, changes: int, *, days: float = 2.0, seed: int = 1, config: str = "") -> Repo:
    """A repository whose branch `main` holds so many changes, a day or two apart, and the repairs of one in five.

    Changes of `auth`, and large ones, break more often. `config` becomes tidegate.toml.
    """
    chance = random.Random(seed)
    repo = Repo.init(path)
    files = {f"src/{area}/part{part}.py": _lines(area, part) for area in AREAS for part in range(3)}
    first = {**{name: "".join(lines) for name, lines in files.items()}, **({"tidegate.toml": config} if config else {})}
    out = [_commit("Start", PEOPLE[0], START, first)]
    due: list[tuple[float, str, int]] = []
    for number in range(1, changes + 1):
        at = START + number * days * DAY
        for _, name, line in [one for one in due if one[0] <= at]:
            files[name][line] = f"    value_{line} = checked(value_{line}, {number})\n"
            out.append(_commit(f"Fix crash of value {line} in {name}", PEOPLE[2], at - 60, {name: files[name]}))
        due = [one for one in due if one[0] > at]
        name = chance.choice(sorted(files))
        size = chance.choice((1, 2, 8))
        start = chance.randrange(1, len(files[name]) - size)
        for line in range(start, start + size):
            files[name][line] = f"    value_{line} = work({number}, {chance.randrange(1000)})\n"
        out.append(_commit(f"Change {name} for {number}", chance.choice(PEOPLE), at, {name: files[name]}))
        if chance.random() < (0.5 if "auth" in name else 0.05) + 0.02 * size:
            due.append((at + 30 * DAY, name, start))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=path, input="".join(out).encode(), check=True)
    repo.git("reset", "-q", "--hard", "main")
    repo.clock = round(START + (changes + 1) * days * DAY)
    return repo


# Private


def _lines(area: str, part: int) -> list[str]:
    return [f"def {area}{part}(work, checked):\n", *(f"    value_{line} = {line}\n" for line in range(1, 30))]


def _commit(message: str, author: str, at: float, files: dict[str, list[str]] | dict[str, str]) -> str:
    parts = [f"commit refs/heads/main\ncommitter {author} {round(at)} +0000\n{_data(message)}"]
    parts += [f"M 100644 inline {name}\n{_data(''.join(content))}" for name, content in files.items()]
    return "".join(parts) + "\n"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"
