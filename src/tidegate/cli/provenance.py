"""`tidegate provenance`: audit attribution notes, and bring attribution back after a squash."""

from __future__ import annotations

from tidegate.cli.main import LazyGroup

provenance = LazyGroup(
    places={"audit": "tidegate.cli.audit:audit", "recover": "tidegate.cli.recover:recover"},
    help_texts={
        "audit": "Check every attribution note against its commit (fsck for provenance).",
        "recover": "Bring line attribution back to the main branch after a squash or rebase merge.",
    },
    name="provenance",
    help="Audit attribution notes, and bring attribution back to the main branch.",
)
