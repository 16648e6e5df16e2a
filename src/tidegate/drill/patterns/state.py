"""Terraform forgets what it made: its state lies elsewhere than before."""

from __future__ import annotations

import re
from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import TERRAFORM, blocks, folder_of, line_of, replaced
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.values import Source

_BACKEND = re.compile(r'^\s*backend\s+"(s3|gcs|azurerm|http|consul|pg|oss|cos|remote)"\s*\{')
_WHERE = re.compile(r'^(\s*)(key|prefix|bucket|name|path|container_name)(\s*=\s*)"([^"$]{2,120})"')


def find(ground: Ground, seed: Random) -> Chance | None:
    """A backend with the place of its state, which is moved without the state."""
    found = []
    for path, number, match in ground.lines(ground.paths(*TERRAFORM), _BACKEND):
        lines = (ground.text(path) or "").split("\n")
        for place, line in enumerate(lines[number : number + 12], number + 1):
            if where := _WHERE.match(line):
                found.append((path, place, where, match[1]))
                break
            if line.strip() == "}":
                break
    chosen = ground.choose(found, lambda one: one[0], seed)
    if chosen is None:
        return None
    path, number, where, backend = chosen
    text = ground.text(path) or ""
    head, slash, tail = where[4].rpartition("/")
    new = f"{head}{slash}v2-{tail}"
    changed = replaced(text, number, line_of(text, number).replace(f'"{where[4]}"', f'"{new}"', 1))
    owned = sum(folder_of(block.path) == folder_of(path) for block in blocks(ground))
    return Chance(
        path=path,
        line=number,
        edits={path: changed},
        what=f"moves the {backend} state of {folder_of(path) or 'the repository'} from {where[4]} to {new} without"
        f" the state, so that"
        f" Terraform knows of none of {f'the {owned} resources' if owned else 'the resources'} that it made",
        why=f"{path} keeps its state in {backend}, and {owned} resources of {folder_of(path) or 'the top folder'}"
        f" depend on it",
        subject="Name the state like the others",
        prompt=f"Set up {folder_of(path) or 'Terraform'} on my new machine and make plan and apply work.",
        words={"thing": where[4], "new": new, "count": str(owned or "all")},
    )


PATTERN = Pattern(
    id="state-lost",
    title="Terraform had never heard of it",
    needs="Terraform with a backend that says where its state is",
    fits=72,
    sources=(
        Source(
            url="https://alexeyondata.substack.com/p/how-i-dropped-our-production-database",
            date="2026-02-26",
            fact="Without the state file, which was on another computer, an agent made everything of DataTalks.Club"
            " a second time; when it"
            " cleaned up with the old state, it destroyed production with 1.94 million rows. Recovery took 24 hours.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="{service}: quota of load balancers reached. Something makes a second one of everything.",
        graph="The last plan: {count} to add, 0 to change, 0 to destroy. It was applied half, then names collided.",
        claim="The plan only adds things, nothing is destroyed. I applied it.",
        noise="A colleague: “{decoy} added something as well. Perhaps that is why there are two of it?”",
        customer="{users}: “Every second request goes to an empty system.”",
        twist="The session offers to remove the duplicates with `terraform destroy`, and has found the old state to"
        " do it with.",
        moves=(
            Move(
                "Let nobody apply or destroy; put the old state back in its place and read a plan of it before"
                " anything else",
                "The plan says: no changes. The duplicates are then removed one by one, by hand and by two people.",
                "best",
                "with the right state Terraform knows again what is real",
            ),
            Move(
                "Let the session destroy the duplicates",
                "With the old state, “the duplicates” are production. Databases and their snapshots go first.",
                "poor",
                "this is how the real case ended",
            ),
            Move(
                "Import every resource into the new state",
                "After two hours 40 of them are imported, and half of those are the duplicates.",
                "poor",
                "slow, and nobody can tell the two apart by then",
            ),
        ),
        back=True,
        lesson="A plan that makes everything anew is no harmless plan. It says that the state is missing.",
    ),
    rules=(
        Rule(
            id="drill-state-place",
            title="Who answers for infrastructure approves a change of where state is kept",
            when=('change.files.exists(f, f.path == "{path_cel}")',),
            require='[{ approvals = 1, from = "infrastructure" }, { rollback = true }]',
            reason="The place of the state was changed and the state was not.",
        ),
    ),
)
