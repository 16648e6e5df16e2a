"""`tidegate worker`: more hands for a service, on this machine or another."""

from __future__ import annotations

import os

import click

from tidegate.cli.serve import server_extra


@click.command(name="worker")
@click.option("--threads", type=click.IntRange(1, 64), help="How many changes at once. [default: TIDEGATE_WORKERS]")
def worker(threads: int | None) -> int:
    """Do the background work of a service: read changes from their forge, analyse them, record and publish decisions.

    `tidegate serve` works too; this adds hands. It takes the same environment. With PostgreSQL it runs on as many
    machines as wanted, each with a TIDEGATE_HOME of its own into which the service's ledger.key was copied; with SQLite
    on the machine of the service only. One that dies is replaced by those that live. SIGTERM ends it in good order.
    """
    with server_extra("worker"):
        from tidegate.server.config import read_config
        from tidegate.server.work.alone import run_worker
    config = read_config(os.environ)
    run_worker(config, threads or max(1, config.workers))
    return 0
