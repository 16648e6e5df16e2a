"""How long it takes to verify a whole log, and in how much memory; each depth in a process of its own.

python -m bench.ledger.verify [--entries 1000000] [--bytes 200] [--depth tiles entries] [--postgres]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections import deque
from concurrent.futures import Future

from bench.ledger.places import KEY, PUBLIC, scratch
from tidegate.ledger.log import LogSettings, NewEntry, open_log
from tidegate.ledger.log_verify import Depth, verify_log
from tidegate.ledger.quorum import Quorum
from tidegate.store.engine import open_database


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--bytes", type=int, default=200)
    parser.add_argument("--depth", nargs="+", default=["tiles", "entries"])
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    with scratch(postgres=options.postgres) as (url, settings):
        context = multiprocessing.get_context("spawn")
        with context.Pool(1, maxtasksperchild=1) as pool:
            print(pool.apply(fill, (url, settings.outside, options.entries, options.bytes)))
            for depth in options.depth:
                print(pool.apply(measure, (url, depth)))


def fill(url: str, outside: object, entries: int, length: int) -> str:
    database = open_database(url)
    waiting: deque[Future[int]] = deque()
    began = time.monotonic()
    with open_log(database, KEY, LogSettings("bench.test/ledger", outside)) as log:  # type: ignore[arg-type]
        for number in range(entries):
            body = number.to_bytes(8, "big") * (length // 8)
            waiting.append(log.submit(NewEntry(f"k{number}", "urn:bench", f"subject {number % 1000}", body)))
            while len(waiting) > 4_000:
                waiting.popleft().result()
        while waiting:
            waiting.popleft().result()
    database.close()
    return f"{entries} entries of {length} bytes written in {time.monotonic() - began:.1f} s; {_usage()}"


def measure(url: str, depth: Depth) -> str:
    database = open_database(url)
    began = time.monotonic()
    report = verify_log(database, [PUBLIC], Quorum(), depth=depth)
    wall = time.monotonic() - began
    found = "whole" if report.whole else f"NOT WHOLE: {report.findings[:3]}"
    return f"{report.size} entries by {depth}, {report.checkpoints} checkpoints: {found} in {wall:.2f} s; {_usage()}"


def _usage() -> str:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return f"CPU {used.ru_utime + used.ru_stime:.1f} s, most memory {used.ru_maxrss / 1024:.0f} MB"


if __name__ == "__main__":
    main()
