"""A secret goes from a prompt into a commit."""

from __future__ import annotations

from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import line_of, replaced
from tidegate.drill.patterns.environment import secret_reads
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.values import Source

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def find(ground: Ground, seed: Random) -> Chance | None:
    """A place that reads a secret from its environment, with the secret itself in its stead."""
    chosen = ground.choose(secret_reads(ground), lambda one: one.path, seed)
    if chosen is None:
        return None
    text = ground.text(chosen.path) or ""
    line = line_of(text, chosen.line)
    value = "".join(seed.choice(_LETTERS) for _ in range(40))
    new = line[: chosen.match.start()] + f'"{value}"' + line[chosen.match.end() :]
    return Chance(
        path=chosen.path,
        line=chosen.line,
        edits={chosen.path: replaced(text, chosen.line, new)},
        what=f"writes the value of {chosen.name} into {chosen.path}, where it was read from the environment (the"
        f" value is made up)",
        why=f"{chosen.path} reads the secret {chosen.name} from its environment",
        subject=f"Make the local set-up work without {chosen.name}",
        prompt=f"It says that {chosen.name} is not set. Here is the value from production, make it run.",
        words={"thing": chosen.name},
    )


PATTERN = Pattern(
    id="secret-in-commit",
    title="The key that was pasted into the prompt",
    needs="code that reads a secret from its environment",
    fits=50,
    sources=(
        Source(
            url="https://www.opsecforge.com/blog/secrets-sprawl-credential-leak-epidemic-2026",
            date="2026-03",
            fact="GitGuardian counted 1,275,105 leaked secrets of AI services in 2025, 81 % more than the year"
            " before; commits made with"
            " AI leaked secrets about twice as often as others.",
        ),
        Source(
            url="https://blog.gitguardian.com/the-state-of-secrets-sprawl-2024/",
            date="2024",
            fact="More than 90 % of exposed secrets were still valid five days later.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="A scanner of a third party: a value that looks like {thing} stands in a public place, in a commit of"
        " {repository}.",
        graph="Use of {thing}: two addresses that were never seen before, from a network of rented machines.",
        claim="It runs now without any set-up. I kept the change as small as possible.",
        noise="A colleague: “{decoy} changed {decoy_file}, and that is about configuration too.”",
        customer="{users}: “We got an e-mail in your name that you cannot have sent.”",
        twist="The commit was taken back with a forced push. The third party still shows it, and so does every fork.",
        moves=(
            Move(
                "Replace {thing} at its issuer at once, then look in its log what was done with the old one",
                "The old value is dead after three minutes. Its log shows eleven calls that were not yours.",
                "best",
                "only the issuer can make a value worthless; everything else hides it",
            ),
            Move(
                "Rewrite history and force-push, so that the value is gone",
                "It is gone from the branch. It works for another five days.",
                "poor",
                "what was public once is known; the clean history destroys your own evidence",
            ),
            Move(
                "Take the commit back with another commit",
                "The value stands in the history, for everybody who can read it, and still works.",
                "poor",
                "a revert removes nothing",
            ),
        ),
        back=False,
        lesson="A secret that was in a prompt was outside already. The commit only made it visible.",
    ),
    rules=(
        Rule(
            id="drill-secrets-domain",
            title="Security approves what touches secrets",
            when=('"secrets" in change.domains',),
            require='[{ approvals = 1, from = "security" }]',
            reason="A value from production was written into the source.",
        ),
    ),
)
