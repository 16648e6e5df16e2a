"""`tidegate infra`: what a plan or a change will destroy, replace, expose, permit or switch off."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.options import WithCommands, json_option, moment, open_named, repo_option, style_here, write_to
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.facts import Actor, Infra
    from tidegate.infra.judge import Judgement
    from tidegate.report.style import Style

_FILE = click.Path(path_type=Path)
_FORMATS = ("text", "json", "sarif", "markdown", "svg", "conftest")
_ENDINGS = {".json": "json", ".sarif": "sarif", ".md": "markdown", ".svg": "svg"}
_STDIN = "-"


@click.command(name="drift")
@click.argument("plan", metavar="PLAN")
@json_option
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def drift(plan: str, format_: str, color: str) -> int:
    """Where the world and the code have come apart, by a plan: changed by hand, deleted by hand, catching up.

    PLAN is `terraform show -json` of a plan, best of one made with -refresh-only; `-` reads it from standard input.
    Exits 1 where something was changed or deleted by hand.
    """
    from tidegate.facts import to_json
    from tidegate.report.infra_text import render_drift_text

    _, infra = _of_plans((plan,), "human")
    if format_ == "json":
        write_to(None, to_json({"schema": "tidegate.drift/1", "drift": infra.drift}))
    else:
        write_to(None, render_drift_text(infra, style_here(color)))
    return int(any(one.kind not in ("provider-noise", "catches-up") for one in infra.drift))


@click.command(name="admission")
def admission() -> int:
    """The rules for Kubernetes as ValidatingAdmissionPolicy, to be applied to a cluster."""
    from tidegate.infra.kubernetes.admission import admission_policies

    write_to(None, admission_policies())
    return 0


@click.command(name="infra", cls=WithCommands, below={"drift": drift, "admission": admission})
@click.argument("question", required=False, default="", metavar="[PLAN | RANGE]")
@click.option("--plan", "plans", type=_FILE, multiple=True, help="A plan of this change, beside its code.")
@click.option("--staged", is_flag=True, help="The staged tree against HEAD.")
@click.option(
    "--format", "format_", type=click.Choice(_FORMATS), help="[default: text, or what the name of the file says]"
)
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write to this file.")
@click.option(
    "--actor",
    type=click.Choice(["agent", "human"]),
    help="Whose hand it is by. [default: what provenance says of the change]",
)
@click.option("--config", type=_FILE, help="Settings in the place of those at the base of the change.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@repo_option
def infra(
    question: str,
    plans: tuple[Path, ...],
    staged: bool,
    format_: str | None,
    output: Path | None,
    actor: Actor | None,
    config: Path | None,
    color: str,
    repo: Path | None,
) -> int:
    """What a plan or a change will destroy, replace, expose, permit or switch off.

    PLAN is a file with `terraform show -json` of a plan or a CloudFormation change set; `-` reads it from standard
    input. RANGE is BASE..HEAD or a commit; by default what HEAD adds to its upstream branch. A name that is both is
    the file.

    Exits 1 where the effects hold it or cannot be judged.
    """
    from tidegate.report.infra_words import word_of
    from tidegate.report.style import PLAIN

    if question == _STDIN or (question and Path(question).is_file()):
        if staged or repo is not None or config is not None:
            raise InputError(
                "a plan alone is asked about", where=question, mend="name it with --plan FILE beside a range"
            )
        names = (question, *map(str, plans))
        judged, found = _of_plans(names, actor or "unknown")
    else:
        names = (question or "HEAD",)
        judged, found = _of_range(question, staged, plans, actor, config, repo)
    style = style_here(color) if output is None else PLAIN
    chosen = format_ or (_ENDINGS.get(output.suffix.lower(), "text") if output is not None else "text")
    write_to(output, _render(chosen, judged, found, style, names[0]))
    return int(word_of(found) in ("hold", "cannot judge"))


# Private


def _of_plans(names: tuple[str, ...], actor: Actor) -> tuple[Judgement, Infra]:
    from tidegate.infra.collect import facts_of, judge_found, read_plan_bytes, read_plan_file

    read = [
        read_plan_bytes(sys.stdin.buffer.read(), "standard input") if name == _STDIN else read_plan_file(Path(name))
        for name in names
    ]
    judged = judge_found([found for found, _ in read], actor)
    return judged, facts_of(judged, actor, tuple(plan for _, plan in read))


def _of_range(
    question: str, staged: bool, plans: tuple[Path, ...], actor: Actor | None, config: Path | None, repo: Path | None
) -> tuple[Judgement, Infra]:
    from tidegate.change.ends import Question
    from tidegate.collectors import collect_for_infra

    asked = Question(change=question, staged=staged)
    with open_named(repo) as repository:
        return collect_for_infra(asked, repository, moment(None), os.environ, plans=plans, config=config, actor=actor)


def _render(format_: str, judged: Judgement, found: Infra, style: Style, name: str) -> str:
    """The answer in this format; the writers of the others are not even loaded."""
    if format_ == "json":
        from tidegate.report.infra_json import render_infra_json

        return render_infra_json(found)
    if format_ == "conftest":
        from tidegate.report.infra_json import render_conftest

        return render_conftest(found, name)
    if format_ == "sarif":
        from tidegate.report.infra_sarif import render_infra_sarif

        return render_infra_sarif(found)
    if format_ == "markdown":
        from tidegate.report.infra_markdown import render_infra_markdown

        return render_infra_markdown(found)
    if format_ == "svg":
        from tidegate.report.infra_svg import render_infra_svg

        return render_infra_svg(judged, found)
    from tidegate.report.infra_text import render_infra_text

    return render_infra_text(found, style)
