"""`tidegate verify index`: read all source of the repository, so that copies of it are found at once."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tidegate.cli.options import json_option, open_named, repo_option, write_result


@click.command(name="index")
@click.option("--at", default="HEAD", show_default=True, metavar="REVISION", help="The tree that is read.")
@json_option
@repo_option
def index(at: str, format_: str, repo: Path | None) -> None:
    """Read all source of the repository, so that copies of it are found at once.

    `tidegate check` does this little by little; this does it whole, about a CPU second for 200,000 lines. Nothing is
    executed. The index is kept in .git/tidegate/verify/clones and may be deleted.
    """
    # Imported here, so that `--help` costs nothing of it.
    from tidegate.change.configuration import read_settings
    from tidegate.facts import to_json
    from tidegate.verify.clones.index import index_tree

    with open_named(repo) as repository:
        settings = read_settings(repository, repository.find(at), os.environ).settings
        found = index_tree(repository, repository.resolve(at), settings)
    if format_ == "json":
        write_result(to_json({"schema": "tidegate.clone-index/1", "files": found.files, "missing": found.missing}))
    else:
        write_result(str(found))
