"""What a table of verbs says of a program, and the words that many of them share."""

from __future__ import annotations

from tidegate.agent.guard.frozen import Frozen

DEPLOYS = "it changes what runs elsewhere"
PIPELINE = "let the pipeline do it after review, or ask a person to run it"
PUBLISHES = "it publishes, and what is published cannot be taken back"
RELEASE = "publish from the release pipeline; look at it first with --dry-run"
RUNS = "it stops or changes what this machine runs"
ADMIN = "ask a person who answers for the machine"


class Verbs(Frozen):
    """`writes` are held wherever they stand among the words (`delete`, or `app sync`), unless a flag of `dry` is set.

    With `reads`, a call without any of these is held too. `means` says what happens, `safe` what to do instead.
    """

    writes: frozenset[str]
    means: str
    safe: str
    dry: tuple[str, ...] = ("--dry-run", "--dryrun", "--help", "--version")
    reads: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()


def verbs(writes: str, means: str, safe: str, dry: str = "", reads: str = "", valued: str = "") -> Verbs:
    usual = ("--dry-run", "--dryrun", "--help", "--version")
    return Verbs(
        frozenset(one.strip() for one in writes.split(",")),
        means,
        safe,
        (*usual, *dry.split()),
        frozenset(reads.split()),
        frozenset(valued.split()),
    )
