"""`tidegate learn`: the map of an environment, from what is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.options import json_option, style_here, write_result
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.operate.environment.code import Code

LARGEST_BYTES = 256 << 20


@click.command(name="learn")
@click.argument("repositories", nargs=-1, type=click.Path(path_type=Path), metavar="[REPO]...")
@click.option("--revision", default="HEAD", show_default=True, metavar="REV", help="What is read of each repository.")
@click.option("--prometheus", "servers", multiple=True, metavar="URL", help="Ask it for its targets and alert rules.")
@click.option("--spans", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="OTLP, JSON or protobuf.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Terraform's state, or what terraform show -json writes.",
)
@click.option(
    "--deployments", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="One a line, as JSON."
)
@click.option("--environment", default="", metavar="NAME", help="Of spans, targets and deployments, only its own.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@json_option
def learn(
    repositories: tuple[Path, ...],
    revision: str,
    servers: tuple[str, ...],
    spans: tuple[Path, ...],
    states: tuple[Path, ...],
    deployments: tuple[Path, ...],
    environment: str,
    color: str,
    format_: str,
) -> None:
    """What runs, who owns it, who calls whom, what is watched: from what is there.

    REPO is a repository, by default the one around this folder. Every fact keeps who says so; where sources disagree,
    both sides are shown. Nothing is changed, and nothing of what is asked is executed.
    """
    # Imported here, so that `--help` costs nothing of it.
    from tidegate.facts import to_json
    from tidegate.operate.environment import prometheus, state
    from tidegate.operate.environment import spans as read_spans
    from tidegate.operate.environment.deployments import Deployed
    from tidegate.operate.environment.sources import Given, learn
    from tidegate.operate.environment.text import render_map
    from tidegate.rollout.local import read_deployments

    told = []
    for path in deployments:
        known = read_deployments(path)
        if known is None:
            raise InputError("there is no such file", where=f"--deployments {path}", mend="name a file of deployments")
        told.append(Deployed(str(path), known))
    given = Given(
        environment=environment,
        states=tuple(state.read_state(_read(path, "--state"), path.name) for path in states),
        deployed=tuple(told),
        seen=tuple(read_spans.read_file(_read(path, "--spans"), path.name) for path in spans),
        servers=tuple(prometheus.read_prometheus(url) for url in servers),
        code=tuple(_code(path, revision) for path in repositories or (None,)),
    )
    found = learn(given)
    write_result(to_json(found) if format_ == "json" else render_map(found, style_here(color)))


# Private


def _code(path: Path | None, revision: str) -> Code:
    from tidegate.change.configuration import read_settings
    from tidegate.cli.options import open_named
    from tidegate.operate.environment.code import read_code

    with open_named(path) as repository:
        commit = repository.resolve(revision)
        settings = read_settings(repository, commit, os.environ).settings
        name = (path or Path.cwd()).resolve().name
        return read_code(repository, commit, settings, f"{name} at {commit[:10]}")


def _read(path: Path, option: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", where=f"{option} {path}", mend="name a file that is there"
        ) from error
    if len(content) > LARGEST_BYTES:
        raise InputError("it is larger than 256 MiB", where=f"{option} {path}", mend="export less of it")
    return content
