"""`tidegate mcp`: what a coding agent may ask, over the Model Context Protocol on standard input and output."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from tidegate.cli.options import open_named, repo_option
from tidegate.errors import InputError

LARGEST_TOKEN = 4096


@click.command(name="mcp")
@repo_option
@click.option("--write", is_flag=True, help="Offer declare_session and attach_evidence as well.")
@click.option("--url", metavar="SERVICE", help="A service that knows incidents. Its token comes from --token-file.")
@click.option("--token-file", type=click.Path(path_type=Path), metavar="FILE", help="By default TIDEGATE_TOKEN.")
def mcp(repo: Path | None, write: bool, url: str | None, token_file: Path | None) -> None:
    """Serve a coding agent over the Model Context Protocol, on standard input and output.

    Read-only unless --write is said. It never runs the repository's code, and it never approves anything.
    """
    find = _service(url, token_file)
    try:
        from tidegate.agent.mcp.server import Place, serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "anyio"):
            raise
        raise InputError(
            "the library of the Model Context Protocol is not installed", mend="pip install 'tidegate[mcp]'"
        ) from error
    from tidegate.change.branches import read_branches, repository_name

    with open_named(repo) as repository:
        slug = repository_name(read_branches(repository).url) if find else ""
    start = str((repo or Path.cwd()).resolve())
    serve(Place(start, named=repo is not None, write=write, slug=slug, find=find))


# Private


def _service(
    url: str | None, token_file: Path | None
) -> Callable[[str, Mapping[str, str]], Mapping[str, Any] | None] | None:
    if url is None:
        if token_file is not None:
            raise InputError("a token for which service?", where="--token-file", mend="say --url SERVICE")
        return None
    from tidegate.cli.remote import TOKEN, Remote

    environment: Mapping[str, str] = os.environ if token_file is None else {TOKEN: _token(token_file)}
    return Remote(url, environment, "changes:read").find


def _token(file: Path) -> str:
    try:
        with file.open(encoding="ascii") as opened:
            return opened.read(LARGEST_TOKEN).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "the token cannot be read", where=f"--token-file {file}", mend="name a readable file"
        ) from error
