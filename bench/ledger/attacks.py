"""Insiders against a log that witnesses watch: what is found, what is not, and whether honest work raises an alarm.

    python -m bench.ledger.attacks [ATTACKS] [HONEST_APPENDS]

The insider holds the database, the log's key and the key of the entries; he does not hold a witness's key. Each attack
takes a fresh honest log of 8 to 160 entries, most of which one or two witnesses cosigned in several steps, and changes
it. He re-signs what he changed, or (`careless`) only changes the database. An attack counts as found when an audit of
what he shows, with the witnesses' histories at hand, has a finding, or when a witness contradicts him. An attack that
touches only entries that no witness has seen cannot be found when he re-signs; then `describe_exposure` must have named
these very entries beforehand, and they are counted apart. The same attacks are made again without any witness.

Clocks: a false time is off by two hours at least; witnesses cosign every 10 minutes here, and an audit forgives an hour
behind and five minutes ahead. The bench fails if one attack on witnessed entries is missed or one honest append is
accused.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.ledger.logs import ORIGIN, Clock, MemoryLog, Witnesses

from tidegate.errors import InputError
from tidegate.ledger.audit import Finding, Sighting, audit_clock, audit_tree, describe_exposure
from tidegate.ledger.checkpoint import open_checkpoint
from tidegate.ledger.keys import KeyKind
from tidegate.ledger.merkle import leaf_hash
from tidegate.ledger.notes import Note, parse_note
from tidegate.ledger.quorum import Quorum

STEP_SECONDS = 600
ATTACKS_ON_ONE_LOG = 20


class World:
    """An honest log with its witnesses, as it stood when the insider began."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.chance = chance
        self.clock = Clock()
        self.log = MemoryLog()
        kinds = [KeyKind.WITNESS] * chance.randint(1, 2)
        self.witnesses = Witnesses(folder, self.log, kinds, self.clock)
        self.note = self.log.note()
        self.witnessed = 0
        for _ in range(chance.randint(2, 8)):
            self.grow(chance.randint(4, 20))
        self.cosign()
        if chance.random() < 0.5:
            self.grow(chance.randint(1, 10))

    def grow(self, count: int) -> None:
        """Appends statements that are up to half an hour old, and shows the log to the witnesses now and then."""
        self.clock.time += STEP_SECONDS
        for _ in range(count):
            self.log.append(entry(self.chance, self.clock.time - self.chance.randint(0, 1800)))
        if self.chance.random() < 0.7:
            self.cosign()
        else:
            self.note = self.log.note()

    def cosign(self) -> None:
        self.note = self.witnesses.cosign(self.log, 1).checkpoint.note
        self.witnessed = self.log.size

    def sightings(self) -> list[Sighting]:
        return [sighting for state in self.witnesses.states for sighting in state.history(ORIGIN)]


@dataclass
class Shown:
    """What the insider shows to an auditor. `first` is the first entry that is not what it was."""

    entries: list[bytes]
    note: bytes
    first: int


@dataclass
class Tally:
    made: int = 0
    found: int = 0
    exposed: int = 0
    unwitnessed_found: int = 0
    missed: list[str] = field(default_factory=list)


def entry(chance: random.Random, at: int) -> bytes:
    return json.dumps({"at": at, "id": chance.getrandbits(64)}).encode()


def audit(world: World, shown: Shown, sightings: list[Sighting]) -> list[Finding | str]:
    """What an auditor finds who trusts the log's key and the witnesses' and has what they remember."""
    try:
        quorum = world.witnesses.quorum(0) if sightings else Quorum()
        opened = open_checkpoint(shown.note, ORIGIN, [world.log.key.public], quorum.witnesses)
    except InputError as error:
        return [error.what]
    leaves = map(leaf_hash, shown.entries)
    times = ((index, json.loads(data)["at"]) for index, data in enumerate(shown.entries))
    return [*audit_tree(leaves, opened.checkpoint, sightings), *audit_clock(times, sightings)]


def contradicted(world: World, shown: Shown) -> bool:
    """Whether a witness refuses to cosign what the insider shows, and says that it saw something else."""
    log = forged(world, shown.entries)
    refusals = world.witnesses.refusals(log, log.note())
    return any(refusal.trouble in ("ahead", "forked") for refusal in refusals)


def forged(world: World, entries: list[bytes]) -> MemoryLog:
    log = MemoryLog(world.log.key)
    log.append(*entries)
    return log


def signed(world: World, entries: list[bytes], first: int) -> Shown:
    return Shown(entries, forged(world, entries).note(), first)


# What he does. Each answers what he shows.


def modify(world: World) -> Shown:
    entries, at = list(world.log.entries), place(world)
    entries[at] = changed(world, entries[at])
    return signed(world, entries, at)


def delete(world: World) -> Shown:
    entries, at = list(world.log.entries), place(world)
    del entries[at : at + world.chance.randint(1, 3)]
    return signed(world, entries, at)


def insert(world: World) -> Shown:
    entries, at = list(world.log.entries), place(world)
    entries.insert(at, entry(world.chance, json.loads(entries[at])["at"]))
    return signed(world, entries, at)


def reorder(world: World) -> Shown:
    entries = list(world.log.entries)
    first, second = sorted(world.chance.sample(range(len(entries)), 2))
    entries[first], entries[second] = entries[second], entries[first]
    return signed(world, entries, first)


def truncate(world: World) -> Shown:
    size = place(world)
    return signed(world, world.log.entries[:size], size)


def fork(world: World) -> Shown:
    """The same beginning and the same size, another end."""
    at = place(world)
    others = [changed(world, data) for data in world.log.entries[at:]]
    return signed(world, [*world.log.entries[:at], *others], at)


def resign_everything(world: World) -> Shown:
    """A whole other history."""
    return signed(world, [changed(world, data) for data in world.log.entries], 0)


def borrow_cosignatures(world: World) -> Shown:
    """A changed log whose checkpoint carries the witnesses' lines of the true one."""
    shown = modify(world)
    lines = parse_note(world.note).signatures[1:]
    note = parse_note(shown.note)
    return Shown(shown.entries, Note(note.text, note.signatures + lines).data, shown.first)


def roll_back(world: World) -> Shown:
    """A backup is restored, and the log goes on from there with other entries."""
    at = place(world)
    more = [entry(world.chance, world.clock.time) for _ in range(world.chance.randint(0, 30))]
    return signed(world, [*world.log.entries[:at], *more], at)


def grow_over(world: World) -> Shown:
    """One old entry is changed, and the log grows so that its size tells nothing."""
    shown = modify(world)
    more = [entry(world.chance, world.clock.time) for _ in range(world.chance.randint(1, 40))]
    return signed(world, shown.entries + more, shown.first)


def careless(world: World) -> Shown:
    """Only the database is changed: the checkpoint stays as it was."""
    act = world.chance.choice([modify, delete, insert, reorder, truncate, fork])
    shown = act(world)
    return Shown(shown.entries, world.note, shown.first)


def move_clock(world: World) -> Shown:
    """An entry with a false time, appended through the log's own door and seen by the witnesses at the true one."""
    late = world.chance.random() < 0.5
    off = world.chance.randint(7200, 10_000_000) * (1 if late else -1)
    world.clock.time += STEP_SECONDS
    first = world.log.size
    world.log.append(entry(world.chance, world.clock.time + off))
    world.cosign()
    return Shown(list(world.log.entries), world.note, first)


ATTACKS: tuple[Callable[[World], Shown], ...] = (
    modify,
    delete,
    insert,
    reorder,
    truncate,
    fork,
    resign_everything,
    borrow_cosignatures,
    roll_back,
    grow_over,
    careless,
    move_clock,
)


def place(world: World) -> int:
    """Nine times in ten among the witnessed entries."""
    if world.chance.random() < 0.9 or world.witnessed == world.log.size:
        return world.chance.randrange(world.witnessed)
    return world.chance.randrange(world.witnessed, world.log.size)


def changed(world: World, data: bytes) -> bytes:
    statement = json.loads(data)
    return entry(world.chance, statement["at"])


# The measurement


def attack(count: int, chance: random.Random, folder: Path) -> tuple[dict[str, Tally], int]:
    """Makes so many attacks. Also answers how many of them an audit finds that has no witness to ask."""
    tallies = {act.__name__: Tally() for act in ATTACKS}
    alone, world, left = 0, None, 0
    for number in range(count):
        act = ATTACKS[number % len(ATTACKS)]
        # A clock is moved through the log's own door, so that is done to a log of its own.
        if world is None or left == 0 or act is move_clock:
            shutil.rmtree(folder, ignore_errors=True)
            world, left = World(folder, chance), ATTACKS_ON_ONE_LOG
        left -= 1
        alone += judge_alone(world, act)
        seen = judge_one(world, act, tallies[act.__name__])
        # What nobody had seen the witnesses may have cosigned now: the next attack wants a log of its own.
        world = world if seen and act is not move_clock else None
    return tallies, alone


def judge_one(world: World, act: Callable[[World], Shown], tally: Tally) -> bool:
    """Counts one attack. Answers whether it touched what witnesses had seen."""
    before, size = describe_exposure(world.log.size, world.sightings()), world.log.size
    shown = act(world)
    found = bool(audit(world, shown, world.sightings())) or contradicted(world, shown)
    tally.made += 1
    if shown.entries == world.log.entries and act is not move_clock and shown.note == world.note:
        tally.missed.append("an attack that changed nothing")
    elif shown.first < world.witnessed:
        tally.found += found
        if not found:
            tally.missed.append(f"{act.__name__} at {shown.first} of {world.witnessed} witnessed")
    else:
        tally.exposed += 1
        tally.unwitnessed_found += found
        if not found and f"the last {size - world.witnessed}, which nobody has seen" not in before:
            tally.missed.append(f"{act.__name__}: the exposure did not name entry {shown.first}")
    return shown.first < world.witnessed


def judge_alone(world: World, act: Callable[[World], Shown]) -> bool:
    """Whether an audit without sightings finds the attack; where not, the exposure must have said so."""
    if act is move_clock:
        return False
    text = describe_exposure(world.log.size, [])
    if "could have changed, removed, inserted or reordered any of its" not in text:
        raise AssertionError(text)
    return bool(audit(world, act(world), []))


def append_honestly(count: int, chance: random.Random, folder: Path) -> int:
    """How many audits of an honest log, one for each checkpoint, find something. Clocks are as honest clocks are."""
    alarms, appended = 0, 0
    while appended < count:
        shutil.rmtree(folder, ignore_errors=True)
        world = World(folder, chance)
        for _ in range(12):
            world.grow(chance.randint(1, 60))
            shown = Shown(world.log.entries, world.note, world.log.size)
            alarms += bool(audit(world, shown, world.sightings()))
            alarms += contradicted(world, shown)
        appended += world.log.size
    return alarms


def main(arguments: list[str]) -> int:
    attacks, honest = (int(text) for text in (arguments + ["10000", "100000"][len(arguments) :]))
    chance = random.Random(7)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        begin = time.process_time()
        tallies, alone = attack(attacks, chance, Path(folder) / "attacks")
        alarms = append_honestly(honest, chance, Path(folder) / "honest")
    print(f"{'attack':22}{'made':>7}{'witnessed':>11}{'found':>7}{'exposed':>9}{'of them found':>15}")
    total = Counter[str]()
    for name, tally in tallies.items():
        witnessed = tally.made - tally.exposed
        print(f"{name:22}{tally.made:7}{witnessed:11}{tally.found:7}{tally.exposed:9}{tally.unwitnessed_found:15}")
        total.update(made=tally.made, witnessed=witnessed, found=tally.found, missed=len(tally.missed))
    share = 100 * total["found"] / max(1, total["witnessed"])
    print(f"{total['found']} of {total['witnessed']} attacks on witnessed entries found: {share:.2f} %")
    print(f"without a witness, the same attacks: {alone} of {total['made'] - tallies['move_clock'].made} found")
    print(f"{honest} honest appends: {alarms} false alarms; {time.process_time() - begin:.0f} CPU seconds")
    for tally in tallies.values():
        for missed in tally.missed[:3]:
            print("MISSED", missed)
    return 1 if total["missed"] or alarms else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
