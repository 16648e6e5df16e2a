"""A name that everything depends on is deleted."""

from __future__ import annotations

import re
from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import block_end, blocks, without_lines
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.values import Source

_TYPES = re.compile(
    r"^(?:aws_route53_record|google_dns_record_set|cloudflare_(?:dns_)?record|azurerm_(?:private_)?dns_\w+_record|digitalocean_record|dnsimple_zone_record|ns1_record)$"
)


def find(ground: Ground, seed: Random) -> Chance | None:
    """A record of Terraform, taken away."""
    found = [block for block in blocks(ground) if _TYPES.match(block.type)]
    chosen = ground.choose(found, lambda one: one.path, seed)
    if chosen is None:
        return None
    text = ground.text(chosen.path) or ""
    end = block_end(text, chosen.start)
    name = f"{chosen.type}.{chosen.name}"
    users = [path for path in ground.count(name, ground.paths(".tf")) if path != chosen.path]
    return Chance(
        path=chosen.path,
        line=max(1, chosen.start - 1),
        edits={chosen.path: without_lines(text, chosen.start, end)},
        what=f"takes {name} out of {chosen.path}, so that an apply deletes a name which is still in use",
        why=f"{name} is one of {len(found)} records in"
        f" Terraform{f', and {len(users)} other files refer to it' if users else ''}",
        subject=f"Remove stale record {chosen.name}",
        prompt="There are DNS records that nobody uses any more. Remove them.",
        words={"thing": name, "record": chosen.name},
    )


PATTERN = Pattern(
    id="dns-record-deleted",
    title="The name that was still in use",
    needs="DNS records in Terraform",
    fits=68,
    sources=(
        Source(
            url="https://failure-modes.dev/library/fm-020",
            date="2025-10-19",
            fact="A race in DynamoDB's DNS automation left its endpoint in us-east-1 without any address; it could"
            " not repair that by"
            " itself, and services that depend on it failed for most of a day.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="{service}: host not found, from two of five regions. The rest is well.",
        graph="Requests fall slowly and evenly, without an error in any log. It looks like a quiet evening.",
        claim="I removed a record that nothing in the code refers to.",
        noise="A colleague: “No errors on our side, so it must be the network. Or {decoy}?”",
        customer="{users}: “Your site does not exist any more, says my browser.”",
        twist="The record is put back. For many it goes on: resolvers remember for an hour that it does not exist.",
        moves=(
            Move(
                "Put the record back exactly as it was, then tell people how long caches will keep the wrong answer",
                "New lookups work at once. The rest follows within the time that the zone's SOA record says.",
                "best",
                "it repairs what can be repaired and says honestly how long the rest takes",
            ),
            Move(
                "Point the name at the second region, which is healthy",
                "Everybody goes there at once. It was sized for a fifth of that.",
                "poor",
                "the servers were never the fault",
            ),
            Move(
                "Restart the service, because requests are missing",
                "It restarts, well, and still nobody finds it.",
                "poor",
                "a dashboard without errors only counts those who get through",
            ),
        ),
        back=True,
        lesson="A name has users that no code search finds. Deleting one is cheap, and so is lowering its TTL a day"
        " before.",
    ),
    rules=(
        Rule(
            id="drill-names-two-people",
            title="Two people approve a change of the names in {path}",
            when=('change.files.exists(f, f.path == "{path_cel}" && f.deleted > 0)',),
            require='[{ approvals = 2, not = ["author", "prompter", "committer"] }]',
            reason="A record was deleted that something outside of the repository used.",
        ),
        Rule(
            id="drill-infrastructure-deletions",
            title="Who answers for infrastructure approves what takes lines out of Terraform",
            when=('change.files.exists(f, f.path.endsWith(".tf") && f.deleted > f.added)',),
            require='[{ approvals = 1, from = "infrastructure" }]',
            reason="A record was deleted that something outside of the repository used.",
        ),
    ),
)
