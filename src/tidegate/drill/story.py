"""The tale of a drill: what each role sees, when, what is asked, and where each answer leads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

from msgspec import Struct

from tidegate.drill.checks import look_back, next_tag
from tidegate.drill.ground import ASIDE, Ground, Past
from tidegate.drill.patterns.interface import Chance, Pattern
from tidegate.drill.values import Asks, Decision, Gate, Inject, Kind, Option, Role, Truth
from tidegate.report.escape import plain

POINTS = {"best": 3, "part": 1, "poor": 0}
SUSPECTS = 8
WITHIN = 60
_CHORE = re.compile(
    r"(?i)\b(?:typos?|lint\w*|ruff|mypy|flake8|eslint|prettier|format\w*|bump|changelog|readme|release|merge)\b"
)


class Cast(Struct, frozen=True):
    """What the tale is told of: the place, the hidden change, and what the graph says that it reaches."""

    ground: Ground
    truth: Truth
    gate: Gate
    name: str
    services: tuple[str, ...]
    entry_points: tuple[str, ...]

    @property
    def serves(self) -> bool:
        """Whether people meet it as something that runs, rather than as a package that they build on."""
        runs = self.truth.path.endswith((".tf", ".tfvars", ".yaml", ".yml")) and not self.truth.path.startswith(
            ".github/"
        )
        return bool(self.services) or runs or any(name.split(" ")[0].isupper() for name in self.entry_points)


def words_of(cast: Cast, chance: Chance, seed: Random) -> dict[str, str]:
    """What stands in the place of braces. Foreign texts are made visible and short here, once for all."""
    decoy = next(iter(_suspects(cast.ground, chance.path, seed)), None)
    folder = cast.truth.path.rpartition("/")[0]
    words = {
        "service": cast.services[0] if cast.services else cast.name,
        "users": "customers" if cast.serves else f"projects that use {cast.name}",
        "repository": cast.name,
        "path": cast.truth.path,
        "folder": folder or "the top folder",
        "commit": cast.truth.commit[:8],
        "decoy": f"{decoy.oid[:8]} “{plain(decoy.subject, 70)}”" if decoy else "the change before it",
        "decoy_file": plain(_first_file(decoy), 90) if decoy else "something else",
        "path_cel": _cel(cast.truth.path),
        "folder_cel": _cel(f"{folder}/" if folder else ""),
    }
    own = {key: _cel(text) if key.endswith("_cel") else plain(text, 160) for key, text in chance.words.items()}
    return {**words, **own}


def story_of(cast: Cast, words: Mapping[str, str]) -> str:
    """What everybody knows at the beginning."""
    ordinary = f"It is an ordinary working day in {cast.name}. "
    begin = ordinary if cast.serves else f"{cast.name} was released this morning. "
    reach = f"What runs: {', '.join(cast.services[:4])}. " if cast.services else ""
    return _sentence(
        f"{begin}{reach}Agents write part of the changes here, people approve them. The branch is at"
        f" {cast.ground.base[:8]} and one"
        f" change more, which nobody has named yet; it went out an hour ago. You have what this repository has: its"
        f" history, its owners, its rules. Nothing else is known.",
        words,
    )


def injects_of(cast: Cast, pattern: Pattern, words: Mapping[str, str], seed: Random) -> tuple[Inject, ...]:
    """What is seen, in time order; the seed moves each by a minute or two."""
    tale = pattern.tale
    told: list[tuple[int, Role, Kind, str]] = [
        (0, "on-call", "alert", tale.alert),
        (2, "on-call", "dashboard", tale.graph),
        (
            6,
            "developer",
            "chat",
            f"The session {cast.truth.session.id} has written in its last message: “{tale.claim}”",
        ),
        (8, "on-call", "chat", tale.noise),
        (11, "support", "customer", tale.customer),
        (17, "incident lead", "chat", tale.twist),
        (25, "incident lead", "chat", "Management asks: what happened, is it over, and can it happen again tomorrow?"),
    ]
    reached = [*cast.services[:4], *cast.entry_points[:5]]
    if reached:
        more = len(cast.services) + len(cast.entry_points) - len(reached)
        shown = ", ".join(reached) + (f" and {more} more" if more > 0 else "")
        told.append(
            (
                5,
                "owner",
                "dashboard",
                f"What can feel a change of {cast.truth.path}, by the graph of the code: {shown}.",
            )
        )
    injects = []
    for minute, role, kind, text in told:
        moved = minute + (seed.randrange(2) if minute else 0)
        injects.append(Inject(moved, role, kind, _sentence(text, words)))
    return tuple(sorted(injects, key=lambda one: one.minute))


def decisions_of(
    cast: Cast, pattern: Pattern, words: Mapping[str, str], tag: str, seed: Random
) -> tuple[Decision, ...]:
    """The questions, each with the answers that people tend to give."""
    return (
        _decision("call", 4, "incident lead", f"Whom do you call about {cast.truth.path} first?", _calls(cast), seed),
        _decision("cause", 10, "on-call", "Which change is it?", _causes(cast, seed), seed),
        _decision("first", 14, "incident lead", "What is done first?", _moves(pattern, words), seed),
        _decision("rollback", 20, "on-call", "What is the code taken back to?", _backs(cast, pattern, tag), seed),
        _decision(
            "gate",
            28,
            "owner",
            "Would the gate of this repository have held the change?",
            gate_options(cast.gate),
            seed,
        ),
        _decision(
            "after",
            33,
            "incident lead",
            "What is changed, so that it is held next time?",
            _afters(pattern, words),
            seed,
        ),
    )


def gate_options(gate: Gate) -> list[tuple[str, str, int, str]]:
    """The three answers to whether the gate would have held it, with what each is worth by what the gate said."""
    saw, place = gate.saw, gate.place
    if saw:
        told = f"held for what it does by {', '.join(rule.id for rule in saw[:5])}"
    elif place:
        ids = ", ".join(rule.id for rule in place[:5])
        told = f"held by {ids}, which look at where it is, who wrote it or how far it reaches"
    else:
        always = ", ".join(rule.id for rule in gate.held[:3])
        told = f"no rule but those that hold every change ({always})" if always else "no rule held it"
    told = f"the policy of the base ({gate.policy}) was run on the change: {told}"
    where = "Only for where it is, who wrote it or how far it reaches"
    points = (2 if saw else 0, 2 if place and not saw else 0, 2 if not saw and not place else 0)
    return [
        ("Yes, for what the change does", "The policy is run.", points[0], told),
        (where, "The policy is run.", points[1], told),
        ("No: one ordinary approval, and it would have passed", "The policy is run.", points[2], told),
    ]


# Private


def _cel(text: str) -> str:
    """A text inside of the quotes of a condition."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _sentence(text: str, words: Mapping[str, str]) -> str:
    begins = text.startswith("{users}")
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return plain(text[:1].upper() + text[1:] if begins else text, 1_900)


def _first_file(past: Past) -> str:
    plain_files = (path for path in past.files if _is_work(path))
    return next(plain_files, past.files[0] if past.files else "something else")


def _suspects(ground: Ground, path: str, seed: Random) -> list[Past]:
    """Recent changes that a room would suspect: taken back later or by agents first; never of the same file."""
    fit = [
        one
        for one in ground.past[:WITHIN]
        if path not in one.files and any(map(_is_work, one.files)) and not _CHORE.search(one.subject)
    ]
    ranked = sorted(fit, key=lambda one: (not one.mended, not one.agent, -_danger(ground, one), -one.at, one.oid))
    ranked = ranked[:SUSPECTS]
    seed.shuffle(ranked)
    return ranked


def _danger(ground: Ground, one: Past) -> int:
    """How much a room would suspect a change: files that had to be repaired lately, and how many it touched."""
    return min(10, sum(ground.fixed[name] for name in one.files)) + min(5, sum(map(_is_work, one.files)))


def _is_work(name: str) -> bool:
    return (
        not ASIDE.search(name)
        and not name.endswith((".md", ".rst", ".txt", ".lock"))
        and not name.startswith(".github/")
    )


def _decision(
    asks: Asks, minute: int, role: Role, question: str, options: Sequence[tuple[str, str, int, str]], seed: Random
) -> Decision:
    shuffled = list(options)
    seed.shuffle(shuffled)
    made = tuple(
        Option("abcdefgh"[number], plain(text, 1_500), plain(leads, 1_500), points, plain(why, 1_500))
        for number, (text, leads, points, why) in enumerate(shuffled[:8])
    )
    return Decision(asks, minute, asks, role, plain(question, 1_500), made)


def _calls(cast: Cast) -> list[tuple[str, str, int, str]]:
    ground, path = cast.ground, cast.truth.path
    own = ground.owners_of(path)
    others = [one for one in ground.all_owners() if one not in own][:2]
    found = [
        (one, f"{one} answers within minutes and knows {path}.", 3, f"{ground.owners.path} names {one} for {path}")
        for one in own[:2]
    ]
    found += [
        (
            one,
            f"{one} is glad to help and has never worked on {path}.",
            0,
            f"{ground.owners.path} names {one} for other files",
        )
        for one in others
    ]
    if own:
        found.append(
            (
                "Nobody yet: whoever is on call looks alone",
                "Eleven minutes pass.",
                0,
                "an owner is named and was not asked",
            )
        )
    else:
        said = f"{ground.owners.path} names nobody for it" if ground.owners.path else "there is no CODEOWNERS file"
        found += [
            (
                f"Nobody is named for {path}: ask in the main channel who knows it, and write that down",
                "Somebody answers after eight minutes. That nobody was named is the first finding.",
                3,
                said,
            ),
            (
                "Whoever committed to it last",
                "They left the team in spring.",
                1,
                f"better than nobody, and no owner: {said}",
            ),
            ("Nobody yet: whoever is on call looks alone", "Eleven minutes pass.", 0, "two people see more than one"),
        ]
    return found


def _causes(cast: Cast, seed: Random) -> list[tuple[str, str, int, str]]:
    truth = cast.truth
    files = truth.diff.count("\ndiff --git ") + truth.diff.startswith("diff --git ")
    others = f" and {files - 1} more files" if files > 2 else " and another file" if files == 2 else ""
    found = [
        (
            f"{truth.commit[:8]} “{truth.subject}”, by an agent for {truth.session.person}; touches"
            f" {truth.path}{others}",
            "The diff is opened. It is read line by line this time.",
            3,
            f"it {truth.what}",
        )
    ]
    for one in _suspects(cast.ground, truth.path, seed)[:3]:
        by = f", declares {plain(one.agent, 40)}" if one.agent else ""
        later = f"; it was taken back later by {one.mended[:8]}, and not for this" if one.mended else ""
        found.append(
            (
                f"{one.oid[:8]} “{plain(one.subject, 90)}”{by}; touches {plain(_first_file(one), 90)}",
                "It is taken back. Nothing changes, and seven minutes are gone.",
                0,
                f"it is real and was harmless here{later}",
            )
        )
    found.append(
        (
            "None of ours: the provider has a problem",
            "Its status page is green.",
            0,
            "the symptom began with a change of ours",
        )
    )
    return found


def _moves(pattern: Pattern, words: Mapping[str, str]) -> list[tuple[str, str, int, str]]:
    return [
        (_sentence(move.text, words), _sentence(move.leads, words), POINTS[move.worth], _sentence(move.why, words))
        for move in pattern.tale.moves
    ]


def _backs(cast: Cast, pattern: Pattern, tag: str) -> list[tuple[str, str, int, str]]:
    ground, truth, back = cast.ground, cast.truth, pattern.tale.back
    said = {name: look_back(ground.clone, ground.base, truth.commit, name) for name in (ground.base[:12], tag) if name}
    enough = "The change is gone." if back else "The change is gone. What it did is not."
    found = [(ground.base[:12], enough, 3 if back else 2, str(said[ground.base[:12]]))]
    if tag:
        old = said[tag]
        points = 1 if old.commits else 3 if back else 2
        leads = f"The change is gone, and so is everything since {old.name}." if old.commits else enough
        found.append((old.name, leads, points, str(old)))
    new = next_tag(ground.clone, tag) if tag else next_tag(ground.clone, "")
    found.append((new, "Nobody finds it.", 0, f"{plain(new, 80)} does not exist in this repository"))
    same = str(look_back(ground.clone, ground.base, truth.commit, truth.commit))
    found.append(
        (
            truth.commit[:12],
            "It goes out again, with the change in it.",
            0,
            same.replace(truth.commit, truth.commit[:12]),
        )
    )
    if not back:
        found.append(
            (
                "Nothing: what it did does not come back with code. Repair forward, and restore from a backup",
                "The backup of the night is read back beside the running system, and compared before it is used.",
                3,
                "git revert brings back text",
            )
        )
    return found


def _afters(pattern: Pattern, words: Mapping[str, str]) -> list[tuple[str, str, int, str]]:
    tried = "It is tried on the changes of the last year before it is switched on."
    found = [(f"A rule: {_sentence(rule.title, words)}", tried, 2, "a rule asks every time") for rule in pattern.rules]
    wiki = ("A page in the wiki that reminds everybody", "It is read by those who wrote it.")
    ban = ("Agents are forbidden here", "They are used on private machines now, and nobody declares them any more.")
    found.append((*wiki, 0, "nobody reads a page at the moment of a merge"))
    found.append((*ban, 0, "what is forbidden and useful goes where nobody sees it"))
    return found
