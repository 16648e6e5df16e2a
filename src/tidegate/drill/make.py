"""A new exercise: the pattern that fits best, made into a change of the real files, judged, and told as a story."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from msgspec import Struct

from tidegate.change.branches import read_branches, repository_name
from tidegate.change.commits import read_commit_objects
from tidegate.change.configuration import read_settings
from tidegate.change.git import Repository
from tidegate.drill.actions import actions_of
from tidegate.drill.checks import criteria_of, last_tag
from tidegate.drill.clone import Made, borrowed, commit_files
from tidegate.drill.ground import Ground
from tidegate.drill.hidden import MODEL, TOOL, Judged, judge, message_of, moment_of, text_of
from tidegate.drill.patterns import PATTERNS, find_pattern
from tidegate.drill.patterns.edits import noise_hex
from tidegate.drill.patterns.interface import Chance, Pattern
from tidegate.drill.story import Cast, decisions_of, injects_of, story_of, words_of
from tidegate.drill.values import Scenario, Session, Truth
from tidegate.errors import InputError
from tidegate.reach.services import read_services
from tidegate.report.escape import plain

LARGEST_DIFF = 150_000


class Field(Struct, frozen=True):
    """All that a scenario is told from."""

    ground: Ground
    offer: Offer
    made: Made
    session: Session
    judged: Judged
    name: str


class Offer(Struct, frozen=True):
    """A pattern that fits here, how well, and where it would strike."""

    pattern: Pattern
    chance: Chance
    fit: int


def list_offers(ground: Ground, seed: int) -> tuple[Offer, ...]:
    """Every pattern that fits this repository, the best first."""
    found = []
    for pattern in PATTERNS:
        chance = pattern.find(ground, _random(seed, ground.base, pattern.id))
        if chance is not None:
            found.append(
                Offer(pattern, chance, pattern.fits - chance.less + min(10, ground.weight(_known(chance)) // 2))
            )
    return tuple(sorted(found, key=lambda offer: -offer.fit))


def read_offers(
    repository: Repository, seed: int, environment: Mapping[str, str], revision: str = "HEAD"
) -> tuple[Offer, ...]:
    """The same, of a repository at a revision."""
    base = repository.resolve(revision)
    with borrowed(repository, base) as clone:
        return list_offers(Ground(clone, base, read_settings(clone, base, environment).settings), seed)


def new_drill(
    repository: Repository, environment: Mapping[str, str], *, pattern: str = "", seed: int = 0, revision: str = "HEAD"
) -> Scenario:
    """A scenario of this repository at a revision: the same revision, seed and settings give the same bytes.

    Without a `pattern` the one that fits best. Raises InputError where the named one, or none at all, fits.
    """
    wanted = find_pattern(pattern) if pattern else None
    base = repository.resolve(revision)
    at = moment_of(_committed_at(repository, base))
    with borrowed(repository, base) as clone:
        ground = Ground(clone, base, read_settings(clone, base, environment).settings)
        offer = _chosen(ground, wanted, seed)
        made, session = _made(clone, base, offer, seed, at)
        judged = judge(clone, made, session.id, at, environment)
        return _scenario(Field(ground, offer, made, session, judged, name_of(repository)), seed)


def name_of(repository: Repository) -> str:
    """The repository as its remote calls it, without who it belongs to; else as its folder is called."""
    full = repository_name(read_branches(repository).url) or repository.path.name.removesuffix(".git")
    return plain(full.rpartition("/")[2], 100) or "this repository"


# Private


def _random(seed: int, *parts: str) -> Random:
    return Random(":".join((str(seed), *parts)))  # noqa: S311 an exercise, the same for the same seed


def _known(chance: Chance) -> str:
    """The file that is there already: of a change that only adds one, whatever lies beside it."""
    return chance.words.get("reader", chance.path)


def _committed_at(repository: Repository, base: str) -> int:
    from datetime import datetime

    commit = read_commit_objects(repository, [base]).get(base)
    if commit is None:
        raise InputError("this commit is too large to be read", where=base, mend="name another one with --at")
    return int(datetime.fromisoformat(commit.committed_at).timestamp())


def _chosen(ground: Ground, wanted: Pattern | None, seed: int) -> Offer:
    if wanted is not None:
        chance = wanted.find(ground, _random(seed, ground.base, wanted.id))
        if chance is None:
            raise InputError(
                f"{wanted.id} does not fit this repository: it needs {wanted.needs}",
                mend="`tidegate drill patterns` lists those that fit",
            )
        return Offer(wanted, chance, wanted.fits)
    offers = list_offers(ground, seed)
    if not offers:
        raise InputError(
            f"no failure pattern fits this repository: none of its {len(ground.all_paths)} files is code,"
            f" configuration,"
            " a migration, infrastructure, a workflow or a manifest that a pattern could strike",
            mend="`tidegate drill patterns` says what each of them needs",
        )
    return offers[0]


def _made(clone: Repository, base: str, offer: Offer, seed: int, at: int) -> tuple[Made, Session]:
    chance = offer.chance
    message = message_of(chance.subject, chance.prompt)
    edits = {path: None if text is None else text.encode("utf-8") for path, text in chance.edits.items()}
    made = commit_files(clone, base, edits, message, at)
    if not made.diff or len(made.diff) > LARGEST_DIFF:
        raise InputError(f"the hidden change of {offer.pattern.id} is too large here", mend="try another --seed")
    number = noise_hex(_random(seed, base, "session"), 12)
    return made, Session(TOOL, MODEL, f"drill-{number}", "a made-up developer", plain(chance.prompt, 1_000))


def _scenario(field: Field, seed: int) -> Scenario:
    ground, offer, made, session, judged = field.ground, field.offer, field.made, field.session, field.judged
    pattern, chance = offer.pattern, offer.chance
    truth = Truth(
        made.commit,
        plain(chance.subject, 300),
        plain(chance.what, 1_500),
        plain(chance.path, 380),
        chance.line,
        made.diff,
        session,
    )
    name = field.name
    cast = Cast(ground, truth, judged.gate, name, _services(ground, judged, chance.path), judged.entry_points)
    words = words_of(cast, chance, _random(seed, ground.base, "words"))
    tag = last_tag(ground.clone, ground.base)
    fits = f"{pattern.title}: {plain(chance.why, 1_000)}"
    return Scenario(
        schema="tidegate.drill/1",
        pattern=pattern.id,
        title=plain(f"{pattern.title} ({name})", 380),
        seed=seed,
        repository=name,
        revision=ground.base,
        at=text_of(moment_of(_committed_at(ground.clone, ground.base))),
        why=fits,
        source=pattern.sources,
        story=story_of(cast, words),
        owners=tuple(plain(one, 200) for one in ground.owners_of(chance.path)),
        owners_file=ground.owners.path,
        services=cast.services,
        entry_points=cast.entry_points,
        injects=injects_of(cast, pattern, words, _random(seed, ground.base, "injects")),
        decisions=decisions_of(cast, pattern, words, tag, _random(seed, ground.base, "decisions")),
        truth=truth,
        gate=judged.gate,
        criteria=criteria_of(
            ground,
            truth,
            judged.gate,
            back=pattern.tale.back,
            tag=tag,
            services=bool(cast.services or cast.entry_points),
        ),
        actions=actions_of(pattern, words),
    )


def _services(ground: Ground, judged: Judged, path: str) -> tuple[str, ...]:
    """The services that the change reaches; where the graph knows of none, those whose folders hold the file."""
    if judged.services:
        return judged.services
    every = [
        one for one in read_services(ground.tree.paths(), ground.tree.read, ground.owners) if one.kind == "service"
    ]
    near = [one.name for one in every if any(not root or path.startswith(f"{root}/") for root in one.paths)]
    return tuple(plain(name, 120) for name in near[:10])
