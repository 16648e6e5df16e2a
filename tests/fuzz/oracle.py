"""Holds the attribution of every line of main against the truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.world import NOW, PEOPLE, World, play
from tidegate.change.commits import read_commit_objects
from tidegate.change.git import open_repository
from tidegate.change.lines import read_line_origins
from tidegate.provenance.evidence import read_evidence
from tidegate.provenance.recover import Scope, recover_lines
from tidegate.provenance.recovered import RECOVERED_REF, write_recovered
from tidegate.provenance.values import Origin
from tidegate.settings import Settings


@dataclass
class Score:
    """Lines of main whose writer said so: found or lost; lines given to somebody who did not write them."""

    sequences: int = 0
    found: int = 0
    recovered: int = 0
    lost: int = 0
    silent: int = 0
    wrong: list[str] = field(default_factory=list)
    lost_by: Counter[str] = field(default_factory=Counter)

    def add(self, other: Score) -> None:
        self.sequences += other.sequences
        self.found += other.found
        self.recovered += other.recovered
        self.lost += other.lost
        self.silent += other.silent
        self.wrong += other.wrong
        self.lost_by.update(other.lost_by)

    def __str__(self) -> str:
        attested = self.found + self.lost
        by = ", ".join(f"{what} {count}" for what, count in self.lost_by.most_common())
        return (
            f"{self.sequences} sequences: {len(self.wrong)} lines misattributed, {self.found} of {attested} attested "
            f"lines found on main ({self.recovered} only by recovery), {self.lost} lost, {self.silent} never attested; "
            f"lost by: {by or 'nothing'}"
        )


def run_sequence(folder: Path, seed: int) -> Score:
    """Play, recover, and compare. Every second sequence is judged in a fresh clone, as on another machine."""
    world = play(folder / "work", seed)
    place = world.repo.path
    if seed % 2:
        place = folder / "clone.git"
        world.git("clone", "-q", "--mirror", str(world.repo.path), str(place))
    world.git("checkout", "-q", "main")
    score = Score(sequences=1)
    with open_repository(place, bare=True) as repository:
        settings = Settings()
        recovered = recover_lines(repository, settings, Scope("refs/heads/main"))
        write_recovered(repository, RECOVERED_REF, recovered, PEOPLE[0], NOW)
        again = {(commit.commit, path, line) for commit in recovered.commits for path, line in _claimed(commit.claims)}
        head = repository.resolve("refs/heads/main")
        origins = read_line_origins(repository, "", head)
        commits = read_commit_objects(
            repository, {run.commit for runs in origins.runs.values() for run in runs if run.commit}
        )
        evidence = read_evidence(repository, settings, tuple(commits.values()), None, (), head)
        for name in world.files():
            for number, text in enumerate(world.lines_of(world.repo.path / name), 1):
                run = origins.origin(name.encode(), number)
                assert run is not None, f"seed {seed}: {name}:{number} has no origin"
                origin = evidence.origin(run.commit, run.path, run.commit_line)
                _judge(score, world, f"seed {seed}: {name}:{number}", text, origin)
                score.recovered += origin.writer != "unknown" and (run.commit, run.path, run.commit_line) in again
    return score


# Private


def _judge(score: Score, world: World, where: str, text: bytes, origin: Origin) -> None:
    written = world.truth[text]
    said = "" if origin.writer == "unknown" else f"{origin.writer} {origin.session or origin.human}"
    truth = written.writer if written.attested else ""
    if said and said != truth:
        score.wrong.append(f"{where}: written by {truth or 'nobody who said so'}, attributed to {said}")
    elif said:
        score.found += 1
    elif truth:
        score.lost += 1
        score.lost_by[written.history[-1] if written.history else "nothing"] += 1
    else:
        score.silent += 1


def _claimed(claims: object) -> list[tuple[bytes, int]]:
    return [(c.path, line) for c in claims for line in range(c.first, c.last + 1)]  # type: ignore[attr-defined]
