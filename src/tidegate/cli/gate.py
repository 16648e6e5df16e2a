"""`tidegate gate`: may this be deployed there now, and what is in the way?"""

from __future__ import annotations

import os
from pathlib import Path

import click

from tidegate.cli.options import json_option, moment, open_named, repo_option, style_here, write_result
from tidegate.errors import InputError

_FILE = click.Path(path_type=Path)


@click.command(name="gate")
@click.option("--environment", required=True, help="Where it is to go, as .tidegate/rollout.toml calls it.")
@click.option("--service", default="", help="What is deployed, where a repository holds several.")
@click.option("--from", "since", default="", help="What runs there now; by default what was deployed last.")
@click.option("--to", default="HEAD", show_default=True, help="What is to run there.")
@click.option("--branch", default="", help="The protected branch that rules are read from; by default the remote's.")
@click.option("--actor", default="", help="Who deploys: a key of [people], an account or an e-mail.")
@click.option("--share", type=click.FloatRange(0, 1, min_open=True), help="The part of the traffic that it gets.")
@click.option("--checks", type=_FILE, help="A folder of what `tidegate check --format json` said of the changes.")
@click.option("--approvals", type=_FILE, help="Approvals of this deployment, as JSON.")
@click.option("--deployments", type=_FILE, help="What was deployed, one JSON object a line; by default this clone's.")
@click.option("--prometheus", default="", help="The server that knows the error budget.")
@click.option("--server", help="A service that keeps the facts of the changes. TIDEGATE_TOKEN opens it.")
@click.option("--recorded", is_flag=True, help="Have the gate of --server decide, and record it; takes no clone.")
@click.option("--repository", "named", default="", help="With --recorded: OWNER/NAME, where a service knows several.")
@click.option("--assess", "most", type=click.IntRange(0, 1000), default=20, show_default=True)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("--now", help="The moment to judge at, RFC 3339; by default now.")
@json_option
@repo_option
def gate(
    environment: str,
    service: str,
    since: str,
    to: str,
    branch: str,
    actor: str,
    share: float | None,
    checks: Path | None,
    approvals: Path | None,
    deployments: Path | None,
    prometheus: str,
    server: str | None,
    recorded: bool,
    named: str,
    most: int,
    color: str,
    now: str | None,
    format_: str,
    repo: Path | None,
) -> int:
    """May this be deployed there now, and what is in the way?

    All changes between what runs and what is to run must pass; then the environment's own demands hold. Up to --assess
    changes of which nothing is kept are assessed here. Exit codes: 0 pass, 1 held or blocked, 2 wrong input.
    """
    from tidegate.rollout.words import render_decision, render_decision_json

    if recorded:
        from tidegate.cli.gate_remote import ask_service

        if not server:
            raise InputError("which service is to record it?", where="--recorded", mend="say --server URL")
        question = {"environment": environment, "service": service, "revision": to, "previous": since}
        said = ask_service(server, os.environ, {**question, "actor": actor, "share": share, "repository": named})
        write_result(render_decision_json(said) if format_ == "json" else render_decision(said, style_here(color)))
        return 0 if said.outcome == "pass" else 1
    from tidegate.rollout.ask import Asked, ask_gate

    asked = Asked(
        environment=environment,
        service=service,
        to=to,
        since=since,
        branch=branch,
        actor=actor,
        share=share,
        checks=checks,
        approvals=approvals,
        deployments=deployments,
        prometheus=prometheus,
        most=most,
        now=moment(now),
        environ=os.environ,
    )
    with open_named(repo) as repository:
        fetch = None
        if server:
            from tidegate.cli.gate_remote import documents_of

            fetch = documents_of(server, os.environ, repository)
        decision = ask_gate(asked, repository, fetch)
    write_result(render_decision_json(decision) if format_ == "json" else render_decision(decision, style_here(color)))
    return 0 if decision.outcome == "pass" else 1
