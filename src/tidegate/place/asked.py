"""Everything that a tier asks for, as a table: docs/place.md shows it, and a test holds the two together."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tidegate.change.attested import MUTATION_SHARE
from tidegate.place.values import Axis, Tier


class Ask(Struct, frozen=True):
    """One criterion: where it belongs, what it says, what makes it so, and how much that takes (1 the least)."""

    id: str
    axis: Axis
    tier: Tier
    title: str
    step: str
    effort: int


LEAST_PEOPLE = 2

_DATA: tuple[Ask, ...] = (
    Ask(
        *("data-for-a-test", "data", "T1", "What a test of it holds is internal at most, or nobody's"),
        *('fill the test with made-up data and write [place] data = "synthetic"', 1),
    ),
    Ask("data-declared", "data", "T2", "The data that it holds are declared, and cover what was found", "", 1),
    Ask(
        *("backup-restored", "data", "T2", "What it keeps was restored from a backup once"),
        *("restore its latest backup into a scratch database", 4),
    ),
)
_EXPOSURE: tuple[Ask, ...] = (
    Ask("ways-in-known", "exposure", "T1", "Every way in was found: all of its code could be read", "", 3),
    Ask(
        *("routes-ask", "exposure", "T2", "Every route asks who is there"),
        *("ask in the handler or its router, or name what is open on purpose in [place] public", 3),
    ),
    Ask(
        *("calls-known", "exposure", "T2", "Every machine that it calls is known"),
        *('name all of them: [place] egress = ["db.example.com:5432", ...]', 1),
    ),
)
_BLAST: tuple[Ask, ...] = (
    Ask(
        *("nothing-runs-input", "blast radius", "T1", "No text that is computed runs as code, command or SQL"),
        *("pass arguments instead of text: parameters of the statement, a list of words for the command", 2),
    ),
    Ask(
        *("variables-known", "blast radius", "T1", "Which secrets it wants is known"),
        *("read each variable by its written name", 2),
    ),
    Ask(
        *("opens-nothing", "blast radius", "T2", "Its own infrastructure opens and permits nothing wide"),
        *("narrow what its infrastructure opens: tidegate infra says how", 3),
    ),
    Ask(
        *("calls-end", "blast radius", "T2", "Calls to others end by themselves, and failures are looked at"),
        *("give these calls a timeout", 1),
    ),
)
_PROVENANCE: tuple[Ask, ...] = (
    Ask(
        *("people-answer", "provenance", "T1", "A person answers for it, and for all that agents wrote"),
        *("say who asked for them: tidegate annotate", 2),
    ),
    Ask(
        *("reviewed", "provenance", "T2", "Somebody other than its authors has read it"),
        *("have it read by one person who did not write it", 2),
    ),
    Ask(
        *("writers-known", "provenance", "T3", "Of every commit it is known who or what wrote it"),
        *("record from now on (tidegate agent install git), bring the past in (tidegate provenance recover)", 4),
    ),
    Ask(
        *("two-approvers", "provenance", "T3", "Two people other than agents approve that it is critical"),
        *('have two people approve (by = "a", second = "b")', 3),
    ),
)
_VERIFICATION: tuple[Ask, ...] = (
    Ask(
        *("no-keys", "verification", "T1", "No key or password stands in its files"),
        *("revoke it, and read the new one from the environment; its history is not read here", 2),
    ),
    Ask(
        *("packages-exist", "verification", "T1", "Its packages are known and their versions locked"),
        *("lock the versions (uv lock, npm install, bundle lock), and commit the lock", 1),
    ),
    Ask("ways-in-tested", "verification", "T2", "A test executes every way in", "write a test for each of them", 4),
    Ask("tests-pass", "verification", "T2", "Its tests pass", "run its tests in CI", 1),
    Ask(
        *("quiet-14-days", "verification", "T2", "No high finding for 14 days in the tier below"),
        *("run it at T1 for 14 days", 3),
    ),
    Ask(
        *("mutation", "verification", "T3", f"Its tests kill {MUTATION_SHARE:.0%} of the mutants of changed lines"),
        *("tidegate verify mutate", 4),
    ),
)
_OWNERSHIP: tuple[Ask, ...] = (
    Ask(
        *("owner", "ownership", "T1", "Somebody answers for all of it"),
        *('write [place] owner = "..." in tidegate.toml, or cover its files in CODEOWNERS', 1),
    ),
    Ask(
        *("known-to-somebody", "ownership", "T2", "Somebody has worked on it in the last 180 days"),
        *("have its owner make a change to it", 2),
    ),
    Ask(
        *("known-to-two", "ownership", "T3", "Two people have worked on it in the last 180 days"),
        *("share the work with a second person", 3),
    ),
)
_OPERATIONS: tuple[Ask, ...] = (
    Ask("recipe", "operations", "T1", "How it is built is written down", "add a Dockerfile", 1),
    Ask(
        *("builds", "operations", "T2", "It was built, and the digest of the image is known"),
        *("build it in CI and keep the digest", 1),
    ),
    Ask(
        *("says-it-is-well", "operations", "T2", "It says whether it is well, where it serves anybody"),
        *("add a route such as GET /healthz", 1),
    ),
    Ask("writes-logs", "operations", "T2", "It writes down what it does", "log what comes in and what fails", 1),
    Ask("runbook", "operations", "T3", "What to do when it fails is written down", "write docs/runbook.md", 2),
    Ask(
        *("slo", "operations", "T3", "It has an objective that somebody watches"),
        *("write down its SLO and the alert on it", 3),
    ),
    Ask("on-call", "operations", "T3", "Somebody is called when it fails", "put it on a rota", 3),
    Ask("rollback-drill", "operations", "T3", "Going back was tried", "roll it back once on purpose", 2),
    Ask("canary", "operations", "T3", "New versions go out to a few first", "tidegate canary", 3),
    Ask("load-test", "operations", "T3", "It was tried under the load that is expected", "run a load test", 3),
    Ask("threat-review", "operations", "T3", "Somebody thought like an attacker about it", "hold a threat review", 3),
)
ASKED: tuple[Ask, ...] = (
    *_DATA,
    *_EXPOSURE,
    *_BLAST,
    *_PROVENANCE,
    *_VERIFICATION,
    *_OWNERSHIP,
    *_OPERATIONS,
)
ASK: Mapping[str, Ask] = {one.id: one for one in ASKED}
