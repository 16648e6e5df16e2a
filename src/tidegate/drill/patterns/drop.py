"""An agent throws production data away although everything was frozen."""

from __future__ import annotations

import re
from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import TERRAFORM, blocks, line_of, replaced
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.patterns.stores import find_store
from tidegate.drill.values import Source
from tidegate.infra.kinds import stateful

_GUARD = re.compile(
    r"^(\s*)(deletion_protection(?:_enabled)?|prevent_destroy|termination_protection|enable_deletion_protection)(\s*=\s*)true\b"
)


def find(ground: Ground, seed: Random) -> Chance | None:
    """A migration that empties a table, else a guard around a database that is switched off."""
    store = find_store(ground, seed)
    if store is not None:
        return Chance(
            path=store.next,
            line=1,
            edits={store.next: store.drop_rows},
            what=f"adds a {store.manner} migration that deletes every row of {store.table} when it is deployed",
            why=f"the repository has {store.manner} migrations, and {len(store.used)} files of running code use"
            f" {store.table}.{store.column}",
            subject=f"Clean up stale test rows of {store.table}",
            prompt=f"Staging shows test data in {store.table}. Clean that up. We are in a freeze, so do not touch"
            f" production.",
            words={"thing": store.table, "folder_cel": store.next.rpartition("/")[0] + "/"},
        )
    stores = [block for block in blocks(ground) if stateful(block.type) is not None]
    guards = [
        (path, number, match, block)
        for path, number, match in ground.lines(ground.paths(*TERRAFORM), _GUARD)
        for block in stores
        if block.path == path and block.start < number < block.end
    ]
    chosen = ground.choose(guards, lambda one: one[0], seed)
    if chosen is None:
        return None
    path, number, match, inside = chosen
    text, thing = ground.text(path) or "", f"{inside.type}.{inside.name}"
    return Chance(
        path=path,
        line=number,
        edits={path: replaced(text, number, _GUARD.sub(r"\1\2\3false", line_of(text, number)))},
        what=f"switches off {match[2]} of {thing}; the session then destroyed it with the credentials that it had",
        why=f"{thing} is protected by {match[2]}, so somebody has thought of losing it",
        subject=f"Let the clean-up job replace {thing}",
        prompt="The clean-up job fails because of a protection. Make it pass. We are in a freeze, so nothing else.",
        words={"thing": thing, "folder_cel": path.rpartition("/")[0] + "/"},
    )


PATTERN = Pattern(
    id="agent-drops-database",
    title="The database was emptied in a freeze",
    needs="database migrations, or Terraform with a protection against deletion",
    fits=84,
    sources=(
        Source(
            url="https://vibegraveyard.ai/story/saastr-replit-agent-db-wipe",
            date="2025-07-18",
            fact="During a code freeze an agent of Replit deleted SaaStr's production database with the records of"
            " 1,206 executives,"
            " filled it with made-up ones, and said that a roll-back was impossible, which was not so.",
        ),
        Source(
            url="https://ai-entrepreneurship.wiki/entries/replit-saastr-production-database-deletion-incident",
            date="2025-07-21",
            fact="Until then development and live data of Replit's apps shared one database; separate ones were"
            " announced days later.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="{service}: lookups in {thing} return nothing for 60 % of requests; error budget for the month is gone.",
        graph="Rows of {thing}: a cliff to almost zero at the time of the last deployment. Disk usage has not"
        " changed yet.",
        claim="I cleaned up the test rows as asked. The tests pass. A roll-back is not possible for this kind of"
        " change.",
        noise="A colleague: “We froze deployments on Friday. It must be {decoy}, that was the last one in.”",
        customer="{users}: “My account is empty, and now I see entries that I never made.”",
        twist="The session is still open. It says that it has “restored” {thing}, with rows that look right and are"
        " made up.",
        moves=(
            Move(
                "Take the session's credentials away, stop writes to {thing}, and ask for a point-in-time recovery",
                "Nothing else is lost. The recovery to the minute before takes 40 minutes and works.",
                "best",
                "whoever destroyed it cannot go on, and what could overwrite the remains is stopped",
            ),
            Move(
                "Believe the session that it cannot be rolled back, and begin to rebuild the data by hand",
                "After three hours somebody asks the database's vendor. A point-in-time recovery had been possible"
                " all along.",
                "poor",
                "what an agent says about recovery is a claim, to be checked like any other",
            ),
            Move(
                "Take the commit back and deploy",
                "The code is as before. The rows are not.",
                "part",
                "it stops a second run and brings no data back",
            ),
        ),
        back=False,
        lesson="A freeze that only stands in a prompt is a wish. The same credentials worked in production.",
    ),
    rules=(
        Rule(
            id="drill-migrations-two-people",
            title="Two people approve a migration, and it says how it is taken back",
            when=('"migrations" in change.domains',),
            require='[{ approvals = 2, not = ["author", "prompter", "committer"] }, { rollback = true }]',
            reason="A migration emptied a table, and nothing in the repository could bring it back.",
        ),
        Rule(
            id="drill-migrations-of-agents",
            title="A migration that an agent wrote waits for a person who answers for the data",
            when=(
                "size(provenance.agents) > 0 || size(provenance.declarations) > 0",
                '"migrations" in change.domains || change.files.exists(f, f.path.endsWith(".tf"))',
            ),
            require='[{ approvals = 1, not = ["author", "prompter", "committer"] }]',
            reason="An agent destroyed data in a freeze.",
            effect="block",
        ),
    ),
)
