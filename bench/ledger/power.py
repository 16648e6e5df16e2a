"""Power cuts while the log appends, on a disk that forgets what was not synced.

After each cut: what was acknowledged is there, the log is whole, every checkpoint that was released is a beginning of
it, and it signs on. With `--synchronous normal` the same is shown to lose entries: the disk does forget.

    python -m bench.ledger.power [--cuts 2000] [--seed 1] [--synchronous full]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

from sqlalchemy import create_engine, event

from bench.ledger import apsw_dbapi
from bench.ledger.crash import Outcome
from bench.ledger.disk import NAME, Disk, ForgetfulVFS
from bench.ledger.places import KEY, ORIGIN, PUBLIC
from tidegate.errors import TidegateError
from tidegate.ledger.log import LogSettings, NewEntry, open_log
from tidegate.ledger.log_verify import verify_log
from tidegate.ledger.quorum import Quorum
from tidegate.store.engine import Database, begin_sqlite, set_up_sqlite
from tidegate.store.migrate import migrate

MOST_OPERATIONS = 60
CUTS_A_DISK = 25
"""After so many cuts the next disk is new: so the log stays short, and its beginning is cut too."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--synchronous", choices=["full", "normal"], default="full")
    options = parser.parse_args()
    began = time.monotonic()
    outcome = power(options.cuts, options.seed, options.synchronous)
    print(f"synchronous={options.synchronous}: {outcome}, {time.monotonic() - began:.0f} s")
    sys.exit(0 if outcome.clean else 1)


def power(cuts: int, seed: int, synchronous: str = "full") -> Outcome:
    outcome = Outcome()
    chance = random.Random(seed)
    disk = Disk()
    vfs = ForgetfulVFS(disk)
    while outcome.kills < cuts:
        with tempfile.TemporaryDirectory(prefix="tg-power-") as folder:
            _one_disk(disk, Path(folder), chance, min(CUTS_A_DISK, cuts - outcome.kills), (synchronous, outcome))
        disk.certain.clear()
        disk.unsure.clear()
    vfs.unregister()
    return outcome


def _one_disk(disk: Disk, folder: Path, chance: random.Random, cuts: int, way: tuple[str, Outcome]) -> None:
    synchronous, outcome = way
    settings = LogSettings(ORIGIN, folder / "log.checkpoint")
    disk.reset()
    database = _open(folder, synchronous)
    migrate(database)
    with open_log(database, KEY, settings):
        pass
    database.close()
    known: dict[str, int] = {}
    seen: list[bytes] = []
    for number in range(cuts):
        before = settings.outside.read_bytes()
        fresh = _write_until_cut(disk, folder, settings, (synchronous, number, chance.randint(1, MOST_OPERATIONS)))
        seen.append(settings.outside.read_bytes())
        if chance.random() < 0.3:
            settings.outside.write_bytes(before)  # its rename was not certain yet
        disk.cut(chance)
        _forget_shared_memory(folder)
        disk.reset()
        known.update(fresh)
        outcome.acknowledged += len(fresh)
        outcome.kills += 1
        outcome.rounds += 1
        if not _judge(folder, settings, synchronous, known, seen, outcome):
            return


def _write_until_cut(disk: Disk, folder: Path, settings: LogSettings, trial: tuple[str, int, int]) -> dict[str, int]:
    """What was acknowledged before the power went."""
    synchronous, number, operations = trial
    told: dict[str, int] = {}
    disk.reset(operations)
    database = _open(folder, synchronous)

    def client(each: int) -> None:
        for entry in range(200):
            key = f"{number}-{each}-{entry}"
            try:
                told[key] = log.append(NewEntry(key, "urn:bench", "subject", f"envelope of {key}".encode() * 20))
            except TidegateError:
                return

    try:
        with open_log(database, KEY, settings) as log:
            threads = [threading.Thread(target=client, args=[each]) for each in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    except (TidegateError, apsw_dbapi.Error):
        pass
    except Exception as error:
        if "power is cut" not in str(error) and "disk I/O" not in str(error):
            raise
    disk.dead = True
    database.close()
    return told


def _judge(
    folder: Path, settings: LogSettings, synchronous: str, known: dict[str, int], seen: list[bytes], outcome: Outcome
) -> bool:
    """False where the disk is of no more use for the bench, because entries were lost."""
    database = _open(folder, synchronous)
    report = verify_log(database, [PUBLIC], Quorum(), seen=seen[-20:])
    with open_log(database, KEY, settings) as log:
        kept = {entry.key: entry.index for entry in log.entries(most=10_000)}
        lost = sum(kept.get(key) != index for key, index in known.items())
        refused = log.refusal() is not None
    outcome.lost += lost
    outcome.forks += not report.whole
    outcome.refusals += refused
    outcome.size = max(outcome.size, len(kept))
    database.close()
    return not (lost or refused) and report.whole


def _open(folder: Path, synchronous: str) -> Database:
    path = folder / "tidegate.db"
    engine = create_engine(
        f"sqlite:///{path}", module=apsw_dbapi, creator=lambda: apsw_dbapi.Connection(str(path), NAME)
    )
    event.listen(engine, "connect", set_up_sqlite)
    if synchronous == "normal":
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=NORMAL"))
    event.listen(engine, "begin", begin_sqlite)
    return Database(engine, "sqlite", threading.Lock(), str(path), path)


def _forget_shared_memory(folder: Path) -> None:
    (folder / "tidegate.db-shm").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
