"""How long lines lived, told from the history of a real repository."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.insight.lifetimes import Mended, read_lifetimes, survival_of
from tidegate.insight.survival import Lines
from tidegate.insight.values import Shipped

DAY = 86400.0


def _read(repo: Repo, commits: list[str], pairs: set[tuple[int, int]], files: set[bytes]) -> list[Lines]:
    shipped = [
        Shipped(commit=oid, landed=number * DAY, writer="ai" if number % 2 else "human", size=1, fate="clean")
        for number, oid in enumerate(commits)
    ]
    with open_repository(repo.path) as repository:
        found = read_lifetimes(repository, "HEAD", shipped, Mended(pairs, files))
    assert found is not None
    return found


def _told(lines: list[Lines], commits: list[str]) -> Counter[tuple[int, str, float]]:
    found: Counter[tuple[int, str, float]] = Counter()
    for one in lines:
        found[commits.index(one.change), one.end, one.days] += one.count
    return found


def test_lines_are_followed_from_diff_to_diff(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "shop")
    repo.commit("Before", {"a.py": "old1\nold2\nold3\n"})
    commits = [
        repo.commit("Add", {"a.py": "old1\nnew1\nnew2\n-- x\n++ y\nold2\nold3\n"}),
        repo.commit(
            "Change one and add another file",
            {"a.py": "old1\nnew1\nmended\n-- x\n++ y\nold2\nold3\n", "b.py": "b\n" * 6},
        ),
        repo.commit("Move and cut", {"b.py": None, "c.py": "b\n" * 5, "data.json": "1\n" * 90}),
        repo.commit("Drop old ones", {"a.py": "mended\n-- x\n++ y\n"}),
    ]

    lines = _read(repo, commits, {(0, 1)}, {b"a.py", b"b.py", b"c.py"})

    assert _told(lines, commits) == {
        (0, "repaired", 1.0): 1,
        (0, "replaced", 3.0): 1,
        (0, "alive", 3.0): 2,
        (1, "replaced", 1.0): 1,
        (1, "alive", 2.0): 6,
    }


def test_a_merge_is_one_change(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "shop")
    first = repo.commit("First", {"a.py": "a\n" * 4})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("One", {"s.py": "s\n" * 3})
    repo.commit("Two", {"s.py": "s\n" * 2})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    merge = repo.git("rev-parse", "HEAD").strip()

    lines = _read(repo, [first, merge], set(), {b"a.py", b"s.py"})

    assert _told(lines, [first, merge]) == {(0, "alive", 1.0): 4, (1, "alive", 0.0): 2}


def test_what_is_alive_is_what_blame_says(tmp_path: Path) -> None:
    """Many changes of one file: the count of each change's lines is that of git's own blame."""
    import random

    chance = random.Random(4)
    repo = Repo.init(tmp_path / "shop")
    text = [f"line {n}\n" for n in range(40)]
    commits = [repo.commit("Start", {"a.py": "".join(text)})]
    for number in range(25):
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            text[at : at + chance.randint(0, 4)] = [
                f"{number} {chance.random()}\n" for _ in range(chance.randint(0, 5))
            ]
        text.append(f"end {number}\n")
        commits.append(repo.commit(f"Change {number}", {"a.py": "".join(text)}))

    lines = _read(repo, commits, set(), {b"a.py"})
    alive = Counter({commits.index(one.change): one.count for one in lines if one.end == "alive"})

    blame = repo.git("blame", "-l", "-s", "--root", "a.py").splitlines()
    blamed = Counter(commits.index(line.split()[0].lstrip("^")) for line in blame)
    assert alive == blamed


def test_of_few_changes_nothing_is_said() -> None:
    shipped = [Shipped(commit="a", landed=0, writer="ai", size=1, fate="clean")]
    table = survival_of([Lines(change="a", writer="ai", days=1, end="alive", count=50)], shipped)

    assert table is not None
    assert {figure.says for figure in table.whole.figures} == {"only 1 change: too few to say"}
    assert survival_of([], shipped) is None
