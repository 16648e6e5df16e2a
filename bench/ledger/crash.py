"""Two writers on one log, both ended by SIGKILL at a random moment, again and again on the same database.

After each round: what was acknowledged is there under the index that was told, the log is whole, every checkpoint that
was seen before is a beginning of it, and it signs on.

    python -m bench.ledger.crash [--rounds 200] [--seed 1] [--postgres]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path

from msgspec import Struct

from bench.ledger.places import KEY, PUBLIC, scratch
from tidegate.ledger.log import Log, LogSettings, NewEntry, open_log
from tidegate.ledger.log_verify import verify_log
from tidegate.ledger.quorum import Quorum
from tidegate.store.engine import open_database

WRITERS = 2
THREADS = 4


class Outcome(Struct):
    rounds: int = 0
    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    forks: int = 0
    refusals: int = 0
    size: int = 0

    @property
    def clean(self) -> bool:
        return self.lost == self.forks == self.refusals == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()
    with scratch(postgres=options.postgres) as (url, settings):
        outcome = crash(url, settings, options.rounds, random.Random(options.seed))
    print(f"{'postgresql' if options.postgres else 'sqlite'}: {outcome}, {time.monotonic() - began:.0f} s")
    sys.exit(0 if outcome.clean else 1)


def crash(url: str, settings: LogSettings, rounds: int, chance: random.Random) -> Outcome:
    outcome = Outcome()
    known: dict[str, int] = {}
    seen: list[bytes] = []
    for number in range(rounds):
        told = [settings.outside.with_name(f"told-{number}-{writer}") for writer in range(WRITERS)]
        outcome.kills += _round(url, settings, told, chance.uniform(0.02, 0.35))
        outcome.rounds += 1
        for path in told:
            lines = path.read_text().split("\n")[:-1] if path.exists() else []
            fresh = {key: int(index) for key, index in (line.split() for line in lines)}
            outcome.acknowledged += len(fresh)
            known.update(fresh)
            path.unlink(missing_ok=True)
        _judge(url, settings, known, seen, outcome)
    return outcome


def _round(url: str, settings: LogSettings, told: list[Path], after: float) -> int:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write, args=(url, settings, path)) for path in told]
    for writer in writers:
        writer.start()
    until = time.monotonic() + 20
    while not any(path.exists() for path in told) and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(after)
    for writer in writers:
        os.kill(writer.pid or 0, signal.SIGKILL)
    for writer in writers:
        writer.join()
    return sum(writer.exitcode == -signal.SIGKILL for writer in writers)


def write(url: str, settings: LogSettings, told: Path) -> None:
    """Appends for ever; tells what was acknowledged after it was, in one write for each."""
    import threading

    database = open_database(url)
    log = open_log(database, KEY, settings)
    out = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def client(number: int) -> None:
        each = 0
        while True:
            key = f"{told.name}-{number}-{each}"
            index = log.append(NewEntry(key, "urn:bench", "subject", f"envelope of {key}".encode() * 8))
            os.write(out, f"{key} {index}\n".encode())
            each += 1

    for number in range(THREADS):
        threading.Thread(target=client, args=[number]).start()


def _judge(url: str, settings: LogSettings, known: dict[str, int], seen: list[bytes], outcome: Outcome) -> None:
    database = open_database(url)
    report = verify_log(database, [PUBLIC], Quorum(), seen=seen[-50:])
    if not report.whole:
        outcome.forks += 1
        print(report.findings[:5], file=sys.stderr)
    with open_log(database, KEY, settings) as log:
        outcome.refusals += log.refusal() is not None
        kept = _kept(log)
        outcome.lost += sum(kept.get(key) != index for key, index in known.items())
        outcome.size = len(kept)
        if kept:
            seen.append(log.checkpoint())
    database.close()


def _kept(log: Log) -> dict[str, int]:
    kept: dict[str, int] = {}
    after = -1
    while page := log.entries(after=after, most=5_000):
        for entry in page:
            if entry.envelope == f"envelope of {entry.key}".encode() * 8:
                kept[entry.key] = entry.index
        after = page[-1].index
    return kept


if __name__ == "__main__":
    main()
