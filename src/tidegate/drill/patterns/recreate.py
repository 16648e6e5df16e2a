"""An agent with wide permissions makes something anew that only had to be changed."""

from __future__ import annotations

import re
from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import TERRAFORM, Block, blocks, folder_of, line_of, replaced
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.values import Source
from tidegate.infra.kinds import is_utility, runs_code, stateful


def find(ground: Ground, seed: Random) -> Chance | None:
    """A resource that holds data, else one that somebody would miss, under another name in the code."""
    every = [one for one in blocks(ground) if not is_utility(one.type)]
    kinds = [(one, stateful(one.type)) for one in every]
    graves = [one for one, kind in kinds if kind is not None and kind.word in _STORES]
    chosen = ground.choose(graves or [one for one in every if runs_code(one.type)], _path, seed)
    if chosen is None:
        return None
    kind = stateful(chosen.type)
    new = f"{chosen.name}_v2" if not chosen.name.endswith(("_main", "_primary")) else f"{chosen.name}_new"
    edits: dict[str, str | None] = {}
    old = re.compile(rf"(?<![\w.]){re.escape(chosen.type)}\.{re.escape(chosen.name)}(?![\w-])")
    users = 0
    beside = [path for path in ground.paths(*TERRAFORM) if folder_of(path) == folder_of(chosen.path)]
    for path, text in ground.texts(beside):
        changed, count = old.subn(f"{chosen.type}.{new}", text)
        if path == chosen.path:
            changed = replaced(
                changed, chosen.start, line_of(changed, chosen.start).replace(f'"{chosen.name}"', f'"{new}"')
            )
        if changed != text:
            edits[path], users = changed, users + count
    holds = f", and with it {kind.holds}" if kind else ""
    return Chance(
        path=chosen.path,
        line=chosen.start,
        edits=edits,
        what=f"renames {chosen.type}.{chosen.name} to {new} without a moved block, so that an apply destroys the old"
        f" one{holds}"
        " and makes an empty new one",
        why=f"{chosen.type}.{chosen.name} {f'is a {kind.word}' if kind else 'runs code'} in Terraform; places of its"
        f" folder"
        f" that refer to it: {users}",
        subject=f"Align the name of {chosen.type}.{chosen.name} with the others",
        prompt=f"The names in {folder_of(chosen.path) or 'the Terraform'} are a mess. Make them consistent and get"
        f" the pipeline green.",
        words={
            "thing": f"{chosen.type}.{chosen.name}",
            "new": f"{chosen.type}.{new}",
            "kind": kind.word if kind else "resource",
        },
    )


PATTERN = Pattern(
    id="agent-recreates-environment",
    title="The agent made it new instead of changing it",
    needs="a resource in Terraform that something depends on",
    fits=90,
    sources=(
        Source(
            url="https://www.vibegraveyard.ai/story/aws-kiro-ai-agent-outage",
            date="2025-12",
            fact="The Financial Times reported that Amazon's agent Kiro chose to delete and then recreate an"
            " environment,"
            " and that AWS Cost Explorer was down for 13 hours in one region; Amazon called it misconfigured access.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="{service}: {thing} does not answer, 100 % of requests that need it fail.",
        graph="The last run of the infrastructure pipeline says: 1 to add, 0 to change, 1 to destroy. It was applied.",
        claim="Done. The names are consistent now and the pipeline is green. I only renamed things.",
        noise="A colleague: “{decoy} went out this morning too, and it touched {decoy_file}. Could it be that?”",
        customer="{users}: “Everything that I saved is gone. Is this a display problem?”",
        twist="Somebody has already run the pipeline again “to repair it”. It reports no changes: {new} exists and"
        " is empty.",
        moves=(
            Move(
                "Stop the pipeline, so that nothing else is applied, and look whether a snapshot or backup of"
                " {thing} exists",
                "Nothing more is destroyed. A backup from the night is found; restoring it takes 90 minutes.",
                "best",
                "what is left is kept before anything is repaired",
            ),
            Move(
                "Take the commit back and apply again",
                "The pipeline now destroys {new} and makes {thing} again: empty. What was written in between is gone"
                " as well.",
                "poor",
                "a second apply destroys a second time; git revert brings back names, not data",
            ),
            Move(
                "Ask the agent to put it right",
                "It proposes to import the old {kind} into the state. The old one no longer exists.",
                "poor",
                "the one who made it does not know what it destroyed",
            ),
        ),
        back=False,
        lesson="A rename in Terraform without a moved block is a destruction. A plan shows it, a diff does not.",
    ),
    rules=(
        Rule(
            id="drill-infrastructure-of-agents",
            title="A person who knows the infrastructure approves what an agent changes there",
            when=(
                "size(provenance.agents) > 0 || size(provenance.declarations) > 0",
                'change.files.exists(f, f.path.endsWith(".tf"))',
            ),
            require='[{ approvals = 1, from = "infrastructure" }, { rollback = true }]',
            reason="An agent made anew what only had to be changed.",
        ),
        Rule(
            id="drill-terraform-roll-back",
            title="A change to Terraform in {folder} says how it is taken back",
            when=('change.files.exists(f, f.path.startsWith("{folder_cel}") && f.path.endsWith(".tf"))',),
            require="[{ rollback = true }]",
            reason="Whoever writes down how to take it back notices that data does not come back.",
        ),
    ),
)


# Private

_STORES = frozenset(("database", "search domain", "table", "bucket", "file system", "disk", "cache", "queue"))


def _path(block: Block) -> str:
    return block.path
