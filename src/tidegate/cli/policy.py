"""`tidegate policy`: check, try and explain the rules of this repository."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from tidegate.cli.backtest import backtest
from tidegate.cli.options import json_option, moment, open_named, repo_option, write_result

if TYPE_CHECKING:
    from tidegate.policy.rules import Policy
    from tidegate.settings import Loaded

_FILES = click.argument("files", nargs=-1, type=click.Path(path_type=Path))
_REV = click.option("--rev", help="Read the policy of this revision, not of the work tree.")


@click.group(name="policy")
def policy() -> None:
    """Check, try and explain the rules of this repository."""


@policy.command(name="lint")
@_FILES
@_REV
@click.option("--now", help="The moment to judge dates at, RFC 3339; by default now.")
@json_option
@repo_option
def lint(files: tuple[Path, ...], rev: str | None, now: str | None, format_: str, repo: Path | None) -> int:
    """Say everything that is wrong with the rules. Exits 1 when something is."""
    from tidegate.facts import to_json
    from tidegate.policy.folder import own_rules, read_files
    from tidegate.policy.lint import lint as find_remarks
    from tidegate.report.policy_text import render_remarks

    loaded = read_files(files, os.environ) if files else _load(repo, rev).loaded
    own = own_rules(loaded)
    remarks = find_remarks(own, loaded.settings, moment(now))
    write_result(to_json({"remarks": remarks}) if format_ == "json" else render_remarks(remarks, len(own)))
    return int(any(remark.level == "error" for remark in remarks))


@policy.command(name="test")
@_FILES
@_REV
@click.option("--mutate", is_flag=True, help="Change every rule in small ways, and name the changes no test notices.")
@json_option
@repo_option
def test(files: tuple[Path, ...], rev: str | None, mutate: bool, format_: str, repo: Path | None) -> int:
    """Run the tests of the rules in .tidegate/policy/tests/. Exits 1 when one fails."""
    from tidegate.facts import to_json
    from tidegate.policy.folder import read_trials
    from tidegate.policy.trial import run_trials, surviving_mutants, untested
    from tidegate.report.policy_text import render_mutants, render_trials

    place = _load(repo, rev)
    rules = place.policy()
    trials = read_trials(place.root, files, rules)
    results, unnamed = run_trials(rules, trials), untested(rules, trials)
    mutants = surviving_mutants(rules, trials) if mutate else ()
    if format_ == "json":
        write_result(to_json({"tests": results, "untested": unnamed, "survivors": mutants}))
    else:
        write_result(render_trials(results, unnamed) + ("\n" + render_mutants(mutants) if mutate else ""))
    return int(any(result.problems for result in results))


@policy.command(name="explain")
@click.argument("rule", required=False)
@_REV
@json_option
@repo_option
def explain(rule: str | None, rev: str | None, format_: str, repo: Path | None) -> None:
    """List the rules that apply here, or show one in full."""
    from tidegate.facts import to_json
    from tidegate.policy.explanation import page_ids
    from tidegate.policy.rules import find_rule
    from tidegate.report.policy_text import render_rule, render_rules

    rules = _load(repo, rev).policy()
    chosen = (find_rule(rules.rules, rule),) if rule else rules.rules
    if format_ == "json":
        write_result(to_json({"digest": rules.digest, "rules": [{**r.table, "origin": r.origin} for r in chosen]}))
    elif rule:
        more = f"\nread more: tidegate explain {rule}" if rule in page_ids() else ""
        write_result(render_rule(chosen[0]) + more)
    else:
        write_result(render_rules(rules))


policy.add_command(backtest)

# Private


class _Place(NamedTuple):
    """A repository's folder and what it decided, in the work tree or at a revision."""

    root: Path
    revision: str
    loaded: Loaded

    def policy(self) -> Policy:
        from tidegate.change.git import open_repository
        from tidegate.policy.rules import read_policy

        with open_repository(self.root) as repository:
            return read_policy(repository, self.revision, self.loaded)


def _load(repo: Path | None, rev: str | None) -> _Place:
    from tidegate.change.configuration import read_settings
    from tidegate.policy.folder import read_folder

    with open_named(repo) as repository:
        if rev is None:
            head = "HEAD" if repository.exists("HEAD") else ""
            return _Place(repository.path, head, read_folder(repository.path, os.environ))
        return _Place(repository.path, rev, read_settings(repository, rev, os.environ))
