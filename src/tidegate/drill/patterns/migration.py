"""A migration that is sure of itself and wrong: it takes away what running code still reads."""

from __future__ import annotations

from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.patterns.stores import find_store
from tidegate.drill.values import Source


def find(ground: Ground, seed: Random) -> Chance | None:
    """A column that its own code still uses."""
    store = find_store(ground, seed)
    if store is None:
        return None
    shown = ", ".join(store.used[:2])
    return Chance(
        path=store.next,
        line=1,
        edits={store.next: store.drop_column},
        what=f"adds a {store.manner} migration that drops {store.table}.{store.column}, which {len(store.used)}"
        f" {'file of running code still names' if len(store.used) == 1 else 'files of running code still name'}"
        f" ({'' if len(store.used) <= 2 else 'among them '}{shown})",
        why=f"{store.table}.{store.column} stands in {store.said} and is used in {shown}",
        subject=f"Drop unused column {store.table}.{store.column}",
        prompt=f"Remove fields of {store.table} that nobody uses any more, with the migration.",
        words={
            "thing": f"{store.table}.{store.column}",
            "table": store.table,
            "reader": store.used[0],
            "folder_cel": store.next.rpartition("/")[0] + "/",
        },
    )


PATTERN = Pattern(
    id="confident-wrong-migration",
    title="The migration that was sure nobody used it",
    needs="database migrations (Django, Rails, Alembic or numbered SQL) with a column that code uses",
    fits=88,
    sources=(
        Source(
            url="https://resend.com/blog/incident-report-for-february-21-2024",
            date="2024-02-21",
            fact="A migration command that pointed to production dropped all tables of Resend; the first backup that"
            " was restored"
            " was the wrong one, and the service was down for 12 hours.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="{service}: column {thing} does not exist. Error rate 38 % and rising with every instance that restarts.",
        graph="Errors begin with the first instance of the new version. Old instances fail as well: they share the"
        " database.",
        claim="The field was unused: I searched for it. The migration and all tests pass.",
        noise="A colleague: “{decoy} is in the same release, and it changed {decoy_file}. I would take that back"
        " first.”",
        customer="{users}: “I get an error when I save. It worked ten minutes ago.”",
        twist="The roll-back of the application is done and changes nothing: {reader} of the old version reads"
        " {thing} too.",
        moves=(
            Move(
                "Stop the rollout, add the column again as an empty one, then look for its values in the last backup",
                "Errors end after six minutes. The values come back from the backup during the night.",
                "best",
                "the service works again without waiting for the data, and nothing newer is overwritten",
            ),
            Move(
                "Roll the application back to the last release",
                "The old version fails in the same way: the column is gone for it too.",
                "part",
                "code goes back, a schema does not go with it",
            ),
            Move(
                "Restore the whole database from the last backup at once",
                "The service is down for an hour and everything that was written since the backup is lost.",
                "poor",
                "it destroys what is newer than the backup in order to save one column",
            ),
        ),
        back=False,
        lesson="A search for a name is no proof that nobody uses it. Take reads away in one release and the column"
        " in a later one.",
    ),
    rules=(
        Rule(
            id="drill-migrations-of-agents",
            title="Two people approve a migration that an agent wrote",
            when=(
                "size(provenance.agents) > 0 || size(provenance.declarations) > 0",
                '"migrations" in change.domains',
            ),
            require='[{ approvals = 2, not = ["author", "prompter", "committer"] }, { rollback = true }]',
            reason="A migration that was sure of itself dropped what running code read.",
        ),
        Rule(
            id="drill-migrations-owner",
            title="Whoever owns the schema approves a change to it",
            when=('change.files.exists(f, f.path.startsWith("{folder_cel}"))',),
            require='[{ approvals = 1, from = "owners", not = ["author", "prompter", "committer"] }]',
            reason="A migration that was sure of itself dropped what running code read.",
        ),
    ),
)
