"""The `tidegate` command: a lazy group, so that a command pays only for what it uses."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from collections.abc import Mapping
from typing import NoReturn

import click

from tidegate import __version__
from tidegate.errors import TidegateError

COMMANDS: Mapping[str, str] = {
    "check": "tidegate.cli.check:check",
    "reach": "tidegate.cli.reach:reach",
    "infra": "tidegate.cli.infra:infra",
    "verify": "tidegate.cli.verify:verify",
    "risk": "tidegate.cli.risk:risk",
    "who": "tidegate.cli.who:who",
    "incident": "tidegate.cli.incident:incident",
    "trace-fix": "tidegate.cli.trace_fix:trace_fix",
    "approve": "tidegate.cli.approve:approve",
    "annotate": "tidegate.cli.annotate:annotate",
    "agent": "tidegate.cli.agent:agent",
    "provenance": "tidegate.cli.provenance:provenance",
    "policy": "tidegate.cli.policy:policy",
    "fleet": "tidegate.cli.fleet:fleet",
    "gate": "tidegate.cli.gate:gate",
    "deploy": "tidegate.cli.deploy:deploy",
    "canary": "tidegate.cli.canary:canary",
    "outcomes": "tidegate.cli.outcomes:outcomes",
    "insight": "tidegate.cli.insight:insight",
    "drill": "tidegate.cli.drill:drill",
    "learn": "tidegate.cli.learn:learn",
    "guard": "tidegate.cli.guard:guard",
    "mcp": "tidegate.cli.mcp:mcp",
    "place": "tidegate.cli.place:place",
    "serve": "tidegate.cli.serve:serve",
    "worker": "tidegate.cli.worker:worker",
    "ledger": "tidegate.cli.ledger:ledger",
    "witness": "tidegate.cli.witness:witness",
    "explain": "tidegate.cli.explain:explain",
    "settings": "tidegate.cli.settings:settings",
    "schema": "tidegate.cli.schema:schema",
}
"""Every command in the order in which a newcomer meets them, and where it lives."""

HELP = {
    "check": "Who wrote this change, what it touches, what must still happen, and why.",
    "reach": "How far a change goes: symbols, tests, entry points, services, owners.",
    "infra": "What a plan or a change will destroy, replace, expose, permit or switch off.",
    "verify": "What tests are worth for these lines, and what the change leaves behind.",
    "risk": "How likely a change is to need repair, and what is hit if it does.",
    "who": "Who or what wrote these lines, which prompt, which human answers for them.",
    "incident": "Which change an incident comes from, which lines, and who or what wrote them.",
    "trace-fix": "Which changes introduced what a fix repaired, and who or what wrote them.",
    "approve": "Sign an approval of a change with a key in your hand.",
    "annotate": "Declare who or what wrote a commit or a range.",
    "agent": "Hooks of coding agents and of git that record who or what writes a line.",
    "provenance": "Audit attribution notes, and bring attribution back to the main branch.",
    "policy": "Check, try and explain the rules of this repository.",
    "fleet": "Learn from the past of many repositories at once.",
    "gate": "May this be deployed there now, and what is in the way.",
    "deploy": "Report what is deployed where, so that gates, cycles and incidents know.",
    "canary": "Is the canary as good as what runs beside it: promote, hold or roll back.",
    "outcomes": "What became of what was deployed: incidents, roll-backs, fixes, and what held.",
    "insight": "Is AI helping or hurting here: delivery, repairs and lines, by who wrote them.",
    "drill": "Practise a failure of an agent's change in this repository before it happens.",
    "learn": "What runs, who owns it, who calls whom, what is watched: from what is there.",
    "guard": "Hold a command that would destroy, publish or open something, before it runs.",
    "mcp": "What coding agents may ask: verdicts, what is missing, reach, guidance, incidents.",
    "place": "Where an application may run, what would raise that, and the place made for it.",
    "serve": "The service: webhooks, API, console and the ledger, on this machine.",
    "worker": "More hands for the background work of a service, on any machine.",
    "ledger": "Verify the record of what was decided, take proofs of it along, and gather evidence.",
    "witness": "Remember what a ledger said, and cosign only what continues it.",
    "explain": "What a rule or a finding means, why it is there, and how to satisfy it.",
    "settings": "Every setting, its value, and where it was set.",
    "schema": "The JSON Schema of a document that Tidegate reads or writes.",
}


MANY_OBJECTS = 500_000
"""Almost nothing that is read is garbage: looking for it after every 700 objects takes a twentieth of a check."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called; `--help` imports none of them."""

    def __init__(self, *, places: Mapping[str, str], help_texts: Mapping[str, str], name: str, help: str) -> None:
        super().__init__(name=name, help=help, context_settings={"help_option_names": ["-h", "--help"]})
        self.places = places
        self.help_texts = help_texts

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = self.places.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.help_texts[name]) for name in self.places])


tidegate = LazyGroup(
    places=COMMANDS,
    help_texts=HELP,
    name="tidegate",
    help="Lets safe change out to production quickly and holds what is not yet safe.\n\n"
    "Start with `tidegate check` in any git repository. Exit codes: 0 pass, 1 held or blocked, "
    "2 the input or the set-up is wrong, 3 our own failure.",
)
click.version_option(__version__, "--version", "-V", message="tidegate %(version)s")(tidegate)


def main() -> None:
    """Run the command line and exit. Every error ends in one line on standard error."""
    gc.set_threshold(MANY_OBJECTS)
    try:
        code = tidegate.main(standalone_mode=False, prog_name="tidegate")
    except click.exceptions.Abort:
        _fail("stopped", 130)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        _ask_which(error)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "tidegate"
        _fail(f"{' '.join(error.format_message().split())} See: {path} --help", 2)
    except click.ClickException as error:
        _fail(" ".join(error.format_message().split()), 2)
    except TidegateError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 the last door: whatever comes here is our own failure
        if os.environ.get("TIDEGATE_DEBUG"):
            traceback.print_exc()
        text = " ".join(f"{type(error).__name__}: {error}".split())[:400]
        _fail(f"Tidegate itself failed ({text}); run again with TIDEGATE_DEBUG=1 and report what it prints", 3)
    sys.exit(code if isinstance(code, int) else 0)


def _ask_which(error: click.exceptions.NoArgsIsHelpError) -> NoReturn:
    """Nothing but `tidegate` is a newcomer's question; a group without its command is a slip."""
    group = error.ctx.command
    if error.ctx.parent is None or not isinstance(group, click.Group):
        click.echo(error.ctx.get_help())
        sys.exit(0)
    names = ", ".join(group.list_commands(error.ctx))
    _fail(f"{error.ctx.info_name}: name one of its commands: {names}", 2)


def _fail(text: str, code: int) -> NoReturn:
    from tidegate.report.escape import terminal  # a CI system reads commands out of standard error too

    sys.stdout.flush()
    sys.stderr.write(f"tidegate: {terminal(text)}\n")
    sys.exit(code)
