"""A secret gets another name, or another value, and half of the system does not know."""

from __future__ import annotations

from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import YAML, line_of, replaced
from tidegate.drill.patterns.environment import SecretRead, secret_reads
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.values import Source


def find(ground: Ground, seed: Random) -> Chance | None:
    """A secret that code reads and that other files give by name: renamed on one side only."""
    giving = ground.paths(*YAML, ".env", ".example", ".sh", ".tf", ".md", "Dockerfile", ".toml", aside=True)
    found: list[tuple[SecretRead, tuple[str, ...]]] = []
    for read in secret_reads(ground):
        given = tuple(path for path in ground.count(read.name, giving) if path != read.path) if len(found) < 12 else ()
        if given:
            found.append((read, given))
    chosen = ground.choose(found, lambda one: one[0].path, seed)
    if chosen is None:
        return None
    read, given = chosen
    text = ground.text(read.path) or ""
    line = line_of(text, read.line)
    new = f"APP_{read.name}"
    start, end = read.match.span(2)
    return Chance(
        path=read.path,
        line=read.line,
        edits={read.path: replaced(text, read.line, line[:start] + new + line[end:])},
        what=f"reads {new} in {read.path} where {read.name} was read, which {', '.join(given[:3])} still give by the"
        f" old name",
        why=f"{read.name} is read in {read.path} and given in {', '.join(given[:3])}",
        subject=f"Give {read.name} a prefix, as the others have",
        prompt="The secrets are due for rotation. Give the new ones the prefix APP_, so that one sees which are"
        " rotated.",
        words={"thing": read.name, "new": new, "giver": given[0]},
    )


PATTERN = Pattern(
    id="rotated-secret",
    title="The secret that only half of the system knew",
    needs="a secret that code reads from its environment and another file gives by name",
    fits=54,
    sources=(
        Source(
            url="https://www.theverge.com/platform/amp/2020/2/3/21120248/microsoft-teams-down-outage-certificate-issue-status",
            date="2020-02-03",
            fact="Microsoft Teams was down for nearly three hours because an authentication certificate had expired"
            " and nobody had"
            " renewed it.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="{service}: sign-in and signed requests fail for every instance that started after 09:00. Older ones"
        " are well.",
        graph="Two lines, one for old instances (0 % errors), one for new ones (100 %). Every restart moves one over.",
        claim="The secret has its new name and the tests pass.",
        noise="A colleague: “Certificates! They always expire on Mondays. Or {decoy}, which touched {decoy_file}?”",
        customer="{users}: “It works on my phone and not on my laptop.”",
        twist="The autoscaler has begun to replace old instances, which still work, because load per instance is high.",
        moves=(
            Move(
                "Stop everything that restarts instances, then give the secret under both names",
                "Errors end within five minutes. The old name is taken away next week.",
                "best",
                "what still works is protected first, and both sides agree before one name goes",
            ),
            Move(
                "Restart all instances, so that they pick the secret up",
                "Now none of them works.",
                "poor",
                "the restart is what breaks them",
            ),
            Move(
                "Roll the release back",
                "The old version works with the old name, as {giver} still gives it. Eleven minutes.",
                "part",
                "right here, and only because nobody had cleaned up {giver} yet",
            ),
        ),
        back=True,
        lesson="A name that two files must agree on needs a release with both before one with the new one alone.",
    ),
    rules=(
        Rule(
            id="drill-secret-names",
            title="Its owner approves {path}, where the names of secrets are decided",
            when=('change.files.exists(f, f.path == "{path_cel}")',),
            require='[{ approvals = 1, from = "owners", not = ["author", "prompter", "committer"] }]',
            reason="A secret was renamed on one side only.",
        ),
        Rule(
            id="drill-secrets-back",
            title="A change that touches secrets says how it is taken back",
            when=('"secrets" in change.domains',),
            require="[{ rollback = true }]",
            reason="A secret was renamed on one side only.",
        ),
    ),
)
