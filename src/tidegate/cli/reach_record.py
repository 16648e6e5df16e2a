"""`tidegate reach record`: run a test command, and keep what each test executed as evidence for `tidegate reach`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tidegate.cli.options import moment, open_named, repo_option
from tidegate.errors import InputError


@click.command(name="record", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND...")
@click.option(
    "--from",
    "foreign",
    nargs=2,
    metavar="KIND FILE",
    help="Take what another tool recorded per test: coverage, coverage-json, jacoco, lcov or v8.",
)
@click.option("--now", help="The moment to write down, RFC 3339; by default now.")
@repo_option
def record(command: tuple[str, ...], foreign: tuple[str, str] | None, now: str | None, repo: Path | None) -> int:
    """Run a test command and remember what each test executes.

    Output and exit code are the command's own. With --from it reads what another tool recorded instead. A test that
    runs again replaces what was known of it; the map lies in .git/tidegate/reach/ and may be deleted.
    """
    if bool(command) == bool(foreign):
        raise InputError(
            "a command and a file at once" if command else "no command to run",
            where="tidegate reach record",
            mend="name one: tidegate reach record -- pytest, or --from coverage .coverage",
        )
    at = moment(now)
    # Imported here, so that `--help` costs nothing of it.
    from tidegate.reach.languages import LANGUAGES
    from tidegate.reach.record.collect import collect_map
    from tidegate.reach.record.maps import write_map
    from tidegate.reach.record.readers import KINDS, read_foreign
    from tidegate.reach.record.run import Run
    from tidegate.reach.record.run import record as run_recorded
    from tidegate.report.layout import grouped

    with open_named(repo) as repository:
        if foreign is not None:
            if foreign[0] not in KINDS:
                mend = f"name one of {', '.join(KINDS)}"
                raise InputError(f"{foreign[0]!r} is no kind of coverage", where="--from", mend=mend)
            run = Run(0, read_foreign(foreign[0], Path(foreign[1]), repository))
        else:
            run = run_recorded(command, repository.path, os.environ, Path.cwd())
        seen = collect_map(repository, run.recording, at, LANGUAGES)
        kept = write_map(repository.common_dir / "tidegate" / "reach", seen)
    click.echo(
        f"tidegate: recorded {grouped(len(seen.tests), 'test')}, the map now holds {grouped(len(kept.tests), 'test')}",
        err=True,
    )
    for gap in run.recording.gaps[:5]:
        click.echo(f"tidegate: not recorded: {_say(str(gap))}", err=True)
    return run.exit_code


# Private


def _say(text: str) -> str:
    from tidegate.report.escape import terminal

    return terminal(text, 300)
