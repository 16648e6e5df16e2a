"""Durable signed appends a second, by many clients that each wait for their acknowledgement.

python -m bench.ledger.appends [--entries 30000] [--clients 64] [--bytes 1024] [--processes 1] [--postgres]
With --bytes 0 each entry is a signed statement, read and held against the clock before it is taken.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from concurrent.futures import ThreadPoolExecutor

from bench.ledger.places import KEY, scratch
from tidegate.ledger.fields import Subject
from tidegate.ledger.log import LogSettings, NewEntry, open_log
from tidegate.ledger.predicates import assessment
from tidegate.ledger.statements import Statement, sign_statement
from tidegate.store.clock import now
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
    """The seconds that each append took. `size`: entries, clients, and bytes of each; 0 bytes: signed statements."""
    entries, clients, length = size
    database = open_database(url)
    settings = LogSettings("bench.test/ledger", outside)  # type: ignore[arg-type]
    share = entries // clients
    kind = "urn:bench" if length else assessment.TYPE
    bodies = [_signed(process, number) for number in range(share * clients)] if not length else [b"x" * length]

    def client(number: int) -> list[float]:
        spans = []
        for each in range(share):
            body = bodies[(number * share + each) % len(bodies)]
            began = time.monotonic()
            log.append(NewEntry(f"{process}-{number}-{each}", kind, f"subject {each}", body))
            spans.append(time.monotonic() - began)
        return spans

    with open_log(database, KEY, settings) as log, ThreadPoolExecutor(clients) as pool:
        found = [span for spans in pool.map(client, range(clients)) for span in spans]
    database.close()
    return found


def _signed(process: int, number: int) -> bytes:
    """As the service writes them: a statement of now, in its envelope."""
    says = assessment.Assessment(
        repository="repo:acme/shop",
        target="refs/heads/main",
        base="b" * 40,
        head=f"{number:040x}",
        merge_tree="c" * 40,
        policy="d" * 64,
        facts=f"{process:032x}{number:032x}",
        verdict="pass",
        tool="tidegate/0",
        at=f"{now()[:19]}Z",
        rules=("approval", "tests", "risk"),
    )
    return sign_statement(Statement((Subject(digest={"gitCommit": says.head}, uri=says.repository),), says), [KEY])


if __name__ == "__main__":
    main()
