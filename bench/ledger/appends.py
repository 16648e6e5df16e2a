"""Durable signed appends a second, by many clients that each wait for their acknowledgement.

python -m bench.ledger.appends [--entries 30000] [--clients 64] [--bytes 1024] [--processes 1] [--postgres]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from concurrent.futures import ThreadPoolExecutor

from bench.ledger.places import KEY, scratch
from tidegate.ledger.log import LogSettings, NewEntry, open_log
from tidegate.store.engine import open_database


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("entries", 30_000), ("clients", 64), ("bytes", 1024), ("processes", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    share, clients = options.entries // options.processes, max(1, options.clients // options.processes)
    with scratch(postgres=options.postgres) as (url, settings):
        work = [(url, settings.outside, number, (share, clients, options.bytes)) for number in range(options.processes)]
        began = time.monotonic()
        if options.processes == 1:
            spans = run(*work[0])
        else:
            with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
                spans = [span for found in pool.starmap(run, work) for span in found]
        wall = time.monotonic() - began
    spans.sort()
    cpu = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    kind = "postgresql" if options.postgres else "sqlite"
    print(
        f"{kind}: {len(spans)} entries of {options.bytes} bytes, {options.clients} clients in {options.processes}: "
        f"{len(spans) / wall:,.0f}/s, p50 {spans[len(spans) // 2] * 1e3:.1f} ms, "
        f"p99 {spans[len(spans) * 99 // 100] * 1e3:.1f} ms, most {spans[-1] * 1e3:.0f} ms; CPU {cpu:.1f} s"
    )


def run(url: str, outside: object, process: int, size: tuple[int, int, int]) -> list[float]:
    entries, clients, length = size
    database = open_database(url)
    settings = LogSettings("bench.test/ledger", outside)  # type: ignore[arg-type]
    body = b"x" * length

    def client(number: int) -> list[float]:
        spans = []
        for each in range(entries // clients):
            began = time.monotonic()
            log.append(NewEntry(f"{process}-{number}-{each}", "urn:bench", f"subject {each}", body))
            spans.append(time.monotonic() - began)
        return spans

    with open_log(database, KEY, settings) as log, ThreadPoolExecutor(clients) as pool:
        found = [span for spans in pool.map(client, range(clients)) for span in spans]
    database.close()
    return found


if __name__ == "__main__":
    main()
