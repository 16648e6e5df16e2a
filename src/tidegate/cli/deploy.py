"""`tidegate deploy`: reports deployments from any pipeline, to a service or to this clone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.options import moment, open_named, repo_option, write_result
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.rollout.values import DeploymentEvent, DeploymentStatus


@click.group(name="deploy")
def deploy() -> None:
    """Report what is deployed where, so that gates, cycles and incidents know."""


@deploy.command(name="start")
@click.option("--environment", required=True, help="Where it goes.")
@click.option("--service", default="", help="What is deployed, where a repository holds several.")
@click.option("--revision", default="HEAD", show_default=True, help="What is deployed.")
@click.option("--previous", default="", help="What ran there before, where nobody reported it.")
@click.option("--share", type=click.FloatRange(0, 1, min_open=True), help="The part of the traffic that it gets.")
@click.option("--actor", default="", help="Who deploys.")
@click.option("--url", default="", help="The page of the pipeline.")
@click.option("--name", default="", help="What the deployment is called; by default a name is made.")
@click.option("--server", help="A service to report it to; without one it is kept in this clone.")
@click.option("--now", help="When it began, RFC 3339; by default now.")
@repo_option
def start(
    environment: str,
    service: str,
    revision: str,
    previous: str,
    share: float | None,
    actor: str,
    url: str,
    name: str,
    server: str | None,
    now: str | None,
    repo: Path | None,
) -> int:
    """A deployment begins. Prints its name, which `deploy finish` takes."""
    from datetime import datetime

    from tidegate.rollout.local import name_of
    from tidegate.rollout.values import DeploymentEvent

    at = datetime.fromisoformat(moment(now)).timestamp()
    with open_named(repo) as repository:
        commit = repository.resolve(revision)
        before = repository.resolve(previous) if previous else ""
    called = name or name_of(environment, service, commit, at)
    event = DeploymentEvent(
        sender="plain",
        key=f"{called}-started",
        at=at,
        deployment=called,
        status="started",
        environment=environment,
        service=service,
        revision=commit,
        previous=before,
        share=share,
        actor=actor,
        url=url,
    )
    _report(event, server, repo)
    write_result(called)
    return 0


@deploy.command(name="finish")
@click.argument("name")
@click.option(
    "--status",
    type=click.Choice(["succeeded", "failed", "rolled_back", "cancelled"]),
    default="succeeded",
    show_default=True,
)
@click.option("--environment", default="", help="Where it went; known where it began in this clone.")
@click.option("--service", default="", help="What was deployed.")
@click.option("--server", help="A service to report it to; without one it is kept in this clone.")
@click.option("--now", help="When it ended, RFC 3339; by default now.")
@repo_option
def finish(
    name: str,
    status: DeploymentStatus,
    environment: str,
    service: str,
    server: str | None,
    now: str | None,
    repo: Path | None,
) -> int:
    """A deployment ends."""
    from datetime import datetime

    from tidegate.rollout.local import ended
    from tidegate.rollout.values import DeploymentEvent

    at = datetime.fromisoformat(moment(now)).timestamp()
    if server:
        event = DeploymentEvent(
            sender="plain",
            key=f"{name}-{status}",
            at=at,
            deployment=name,
            status=status,
            environment=environment,
            service=service,
        )
    else:
        with open_named(repo) as repository:
            event = ended(repository, name, status, at)
    _report(event, server, repo)
    write_result(f"{name} {status.replace('_', ' ')}")
    return 0


# Private


def _report(event: DeploymentEvent, server: str | None, repo: Path | None) -> None:
    from tidegate.rollout.local import append, body_of, file_of

    if server:
        from tidegate.cli.remote import Remote

        Remote(server, os.environ, "events:write").send("/events/plain", body_of(event))
        return
    if not event.environment:
        raise InputError("a deployment has an environment", where="--environment")
    with open_named(repo) as repository:
        append(file_of(repository), event)
