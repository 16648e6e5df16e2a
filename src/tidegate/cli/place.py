"""`tidegate place`: where an application may run, what would raise that, and the place made for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from tidegate.cli.options import at_work, json_option, moment, style_here, write_to
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.place.values import Tier

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path)


@click.command(name="place")
@click.argument("path", type=_FOLDER, default=".", required=False)
@click.option("--target", type=click.Choice(["T1", "T2", "T3"]), help="What is missing up to this tier.")
@click.option("--check", is_flag=True, help="Only whether the tier of tidegate.toml still holds; exits 1 where not.")
@click.option("--evidence", type=_FILE, help="A file of what people vouch for, beside that of tidegate.toml.")
@click.option(
    "--generate", type=_FOLDER, metavar="DIR", help="Write the place that it earns, as files, to this folder."
)
@click.option("--kind", type=click.Choice(["kubernetes", "terraform"]), default="kubernetes", show_default=True)
@click.option(
    "--tier", type=click.Choice(["T0", "T1", "T2", "T3"]), help="Make the place of a lower tier than it earns."
)
@click.option(
    "--egress",
    type=click.Choice(["proxy", "cilium"]),
    default="proxy",
    show_default=True,
    help="How host names become rules.",
)
@click.option("--image", default="", help="The image with its digest: REPOSITORY@sha256:...")
@click.option("--runtime-class", default="", help="A RuntimeClass of the cluster, such as gvisor.")
@click.option("--now", default=None, help="The moment to judge at. [default: now]")
@json_option
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option(
    "--repo", type=_FOLDER, default=None, help="The repository that PATH is a folder of. [default: around PATH]"
)
def place(
    path: Path,
    target: str | None,
    check: bool,
    evidence: Path | None,
    generate: Path | None,
    kind: str,
    tier: str | None,
    egress: str,
    image: str,
    runtime_class: str,
    now: str | None,
    format_: str,
    color: str,
    repo: Path | None,
) -> int:
    """Where can we put this? The application in PATH, as it is committed, and the tier that it earns: T0 sandbox,
    T1 own namespace, T2 internal, T3 production-critical.

    The tier is the lowest of seven axes, and what could not be told counts as unmet. Nothing of it is executed.
    Exits 1 with --check or --target where the tier is not earned.
    """
    from tidegate.change.git import open_repository
    from tidegate.place.journey import read_placement, reasons_against
    from tidegate.place.text import render_place, render_reasons

    with at_work("reading the application"), open_repository(repo or path, bare=True) as repository:
        placement, settings = read_placement(
            repository, _folder(path, repo, repository.path), moment(now), os.environ, evidence
        )
    if generate is not None:
        from tidegate.place.make import Wish, make_place, write_place

        wish = Wish(kind, cast("Tier | None", tier) or placement.tier, egress, image, runtime_class)
        names = write_place(generate, make_place(placement, wish))
        write_to(None, "\n".join(str(generate / name) for name in names))
        return 0
    if check:
        reasons = reasons_against(placement, settings)
        if format_ == "json":
            write_to(
                None,
                _json(
                    {
                        "schema": "tidegate.place-check/1",
                        "tier": placement.tier,
                        "declared": placement.declared,
                        "reasons": reasons,
                    }
                ),
            )
        else:
            write_to(None, render_reasons(placement, reasons, style_here(color)))
        return int(bool(reasons))
    text = _json(placement) if format_ == "json" else render_place(placement, style_here(color), target=target or "")
    write_to(None, text)
    return int(target is not None and placement.tier < target)


# Private


def _json(value: object) -> bytes:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2)


def _folder(path: Path, repo: Path | None, top: Path) -> str:
    """The folder of the repository that is asked about, "" for all of it."""
    if repo is not None and not path.is_absolute():
        text = path.as_posix()
        inside = os.path.normpath(text)
        if inside.startswith(".."):
            raise InputError("it lies outside of the repository", where=text, mend="name a folder of --repo")
        return "" if inside == "." else inside
    try:
        inside = path.resolve().relative_to(top.resolve()).as_posix()
    except ValueError as error:
        raise InputError("it lies outside of the repository", where=str(path), mend="name a folder of it") from error
    return "" if inside == "." else inside
