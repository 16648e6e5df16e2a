"""Every table of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None

_TEXT = sa.Text
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SECONDS: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "bodies",
        sa.Column("commitment", _TEXT, nullable=False),
        sa.Column("owner", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=True),
        sa.Column("body", sa.LargeBinary, nullable=True),
        sa.Column("made_at", _TEXT, nullable=False),
        sa.Column("erased_at", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("commitment", name="pk_bodies"),
        sqlite_strict=True,
    )
    op.create_index("ix_bodies_owner", "bodies", ["owner"], unique=False)
    op.create_table(
        "checkpoints",
        sa.Column("size", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("note", _TEXT, nullable=False),
        sa.Column("at", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_checkpoints"),
        sqlite_strict=True,
    )
    op.create_table(
        "deliveries",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("forge", _TEXT, nullable=False),
        sa.Column("delivery", _TEXT, nullable=False),
        sa.Column("event", _TEXT, nullable=False),
        sa.Column("slug", _TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("received_at", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("attempts", _NUMBER, nullable=False),
        sa.Column("worker", _TEXT, nullable=True),
        sa.Column("taken_at", _TEXT, nullable=True),
        sa.Column("handled_at", _TEXT, nullable=True),
        sa.Column("problem", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("forge", "delivery", name="uq_deliveries_forge_delivery"),
        sqlite_strict=True,
    )
    op.create_index("ix_deliveries_state", "deliveries", ["state", "received_at"], unique=False)
    op.create_table(
        "entries",
        sa.Column("index", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("predicate", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("at", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("index", name="pk_entries"),
        sa.UniqueConstraint("key", name="uq_entries_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_entries_predicate_at", "entries", ["predicate", "at"], unique=False)
    op.create_index("ix_entries_subject", "entries", ["subject"], unique=False)
    op.create_table(
        "epochs",
        sa.Column("number", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("origin", _TEXT, nullable=False),
        sa.Column("start", _NUMBER, nullable=False),
        sa.Column("started_at", _TEXT, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("lost", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_epochs"),
        sa.UniqueConstraint("origin", name="uq_epochs_origin"),
        sqlite_strict=True,
    )
    op.create_table(
        "heads",
        sa.Column("origin", _TEXT, nullable=False),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("epoch", _NUMBER, nullable=False),
        sa.Column("signed_at", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("origin", name="pk_heads"),
        sqlite_strict=True,
    )
    op.create_table(
        "people",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("shown", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("created_at", _TEXT, nullable=False),
        sa.Column("disabled_at", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("name", name="uq_people_name"),
        sqlite_strict=True,
    )
    op.create_table(
        "repositories",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("forge", _TEXT, nullable=False),
        sa.Column("slug", _TEXT, nullable=False),
        sa.Column("clone_url", _TEXT, nullable=False),
        sa.Column("main", _TEXT, nullable=False),
        sa.Column("added_at", _TEXT, nullable=False),
        sa.Column("removed_at", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_repositories"),
        sa.UniqueConstraint("forge", "slug", name="uq_repositories_forge_slug"),
        sqlite_strict=True,
    )
    op.create_table(
        "tiles",
        sa.Column("level", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("index", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name="pk_tiles"),
        sqlite_strict=True,
    )
    op.create_table(
        "values",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("value", _TEXT, nullable=False),
        sa.Column("set_at", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_values"),
        sqlite_strict=True,
    )
    op.create_table(
        "workers",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("host", _TEXT, nullable=False),
        sa.Column("started_at", _TEXT, nullable=False),
        sa.Column("seen_at", _TEXT, nullable=False),
        sa.Column("stopped_at", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
        sqlite_strict=True,
    )
    op.create_table(
        "changes",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("repository", _NUMBER, nullable=False),
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("title", _TEXT, nullable=False),
        sa.Column("author", _TEXT, nullable=False),
        sa.Column("target", _TEXT, nullable=False),
        sa.Column("base", _TEXT, nullable=False),
        sa.Column("head", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("forge_state", _TEXT, nullable=False),
        sa.Column("opened_at", _TEXT, nullable=False),
        sa.Column("read_at", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["repository"], ["repositories.id"], name="fk_changes_repository"),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
        sa.UniqueConstraint("repository", "number", name="uq_changes_repository_number"),
        sqlite_strict=True,
    )
    op.create_index("ix_changes_repository", "changes", ["repository"], unique=False)
    op.create_index("ix_changes_read_at", "changes", ["read_at"], unique=False)
    op.create_index("ix_changes_state", "changes", ["state"], unique=False)
    op.create_table(
        "cosignatures",
        sa.Column("size", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("witness", _TEXT, nullable=False),
        sa.Column("line", _TEXT, nullable=False),
        sa.Column("at", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["size"], ["checkpoints.size"], name="fk_cosignatures_size"),
        sa.PrimaryKeyConstraint("size", "witness", name="pk_cosignatures"),
        sqlite_strict=True,
    )
    op.create_table(
        "identities",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("person", _NUMBER, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("issuer", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("added_at", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_identities_person"),
        sa.PrimaryKeyConstraint("id", name="pk_identities"),
        sa.UniqueConstraint("kind", "issuer", "subject", name="uq_identities_kind_issuer_subject"),
        sqlite_strict=True,
    )
    op.create_index("ix_identities_person", "identities", ["person"], unique=False)
    op.create_table(
        "keys",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("person", _NUMBER, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("fingerprint", _TEXT, nullable=False),
        sa.Column("public", sa.LargeBinary, nullable=False),
        sa.Column("label", _TEXT, nullable=False),
        sa.Column("uses", _NUMBER, nullable=False),
        sa.Column("added_at", _TEXT, nullable=False),
        sa.Column("revoked_at", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_keys_person"),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
        sa.UniqueConstraint("fingerprint", name="uq_keys_fingerprint"),
        sqlite_strict=True,
    )
    op.create_index("ix_keys_person", "keys", ["person"], unique=False)
    op.create_table(
        "passwords",
        sa.Column("person", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("hash", _TEXT, nullable=False),
        sa.Column("changed_at", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_passwords_person"),
        sa.PrimaryKeyConstraint("person", name="pk_passwords"),
        sqlite_strict=True,
    )
    op.create_table(
        "sessions",
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("person", _NUMBER, nullable=False),
        sa.Column("csrf", _TEXT, nullable=False),
        sa.Column("created_at", _TEXT, nullable=False),
        sa.Column("seen_at", _TEXT, nullable=False),
        sa.Column("expires_at", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_sessions_person"),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
        sqlite_strict=True,
    )
    op.create_index("ix_sessions_person", "sessions", ["person"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("person", _NUMBER, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("label", _TEXT, nullable=False),
        sa.Column("scopes", _TEXT, nullable=False),
        sa.Column("created_at", _TEXT, nullable=False),
        sa.Column("expires_at", _TEXT, nullable=False),
        sa.Column("used_at", _TEXT, nullable=True),
        sa.Column("revoked_at", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_tokens_person"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
        sqlite_strict=True,
    )
    op.create_index("ix_tokens_person", "tokens", ["person"], unique=False)
    op.create_table(
        "approvals",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("change", _NUMBER, nullable=False),
        sa.Column("person", _NUMBER, nullable=False),
        sa.Column("with_key", _NUMBER, nullable=True),
        sa.Column("evidence", _TEXT, nullable=False),
        sa.Column("stage", _TEXT, nullable=False),
        sa.Column("target", _TEXT, nullable=False),
        sa.Column("base", _TEXT, nullable=False),
        sa.Column("head", _TEXT, nullable=False),
        sa.Column("merge_tree", _TEXT, nullable=False),
        sa.Column("policy", _TEXT, nullable=False),
        sa.Column("facts", _TEXT, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("at", _TEXT, nullable=False),
        sa.Column("expires_at", _TEXT, nullable=False),
        sa.Column("revoked_at", _TEXT, nullable=True),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["change"], ["changes.id"], name="fk_approvals_change"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_approvals_person"),
        sa.ForeignKeyConstraint(["with_key"], ["keys.id"], name="fk_approvals_with_key"),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
        sa.UniqueConstraint("digest", name="uq_approvals_digest"),
        sqlite_strict=True,
    )
    op.create_index("ix_approvals_change", "approvals", ["change"], unique=False)
    op.create_index("ix_approvals_person", "approvals", ["person"], unique=False)
    op.create_index("ix_approvals_with_key", "approvals", ["with_key"], unique=False)
    op.create_table(
        "assessments",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("change", _NUMBER, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("base", _TEXT, nullable=False),
        sa.Column("head", _TEXT, nullable=False),
        sa.Column("merge_tree", _TEXT, nullable=False),
        sa.Column("policy", _TEXT, nullable=False),
        sa.Column("facts", _TEXT, nullable=False),
        sa.Column("verdict", _TEXT, nullable=False),
        sa.Column("risk", _TEXT, nullable=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("made_at", _TEXT, nullable=False),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["change"], ["changes.id"], name="fk_assessments_change"),
        sa.PrimaryKeyConstraint("id", name="pk_assessments"),
        sa.UniqueConstraint("key", name="uq_assessments_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_assessments_change", "assessments", ["change"], unique=False)
    op.create_index("ix_assessments_change_made_at", "assessments", ["change", "made_at"], unique=False)
    op.create_table(
        "emergencies",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("change", _NUMBER, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("asked_by", _NUMBER, nullable=False),
        sa.Column("confirmed_by", _NUMBER, nullable=True),
        sa.Column("asked_at", _TEXT, nullable=False),
        sa.Column("confirmed_at", _TEXT, nullable=True),
        sa.Column("expires_at", _TEXT, nullable=False),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name="fk_emergencies_asked_by"),
        sa.ForeignKeyConstraint(["change"], ["changes.id"], name="fk_emergencies_change"),
        sa.ForeignKeyConstraint(["confirmed_by"], ["people.id"], name="fk_emergencies_confirmed_by"),
        sa.PrimaryKeyConstraint("id", name="pk_emergencies"),
        sqlite_strict=True,
    )
    op.create_index("ix_emergencies_asked_by", "emergencies", ["asked_by"], unique=False)
    op.create_index("ix_emergencies_change", "emergencies", ["change"], unique=False)
    op.create_index("ix_emergencies_confirmed_by", "emergencies", ["confirmed_by"], unique=False)
    op.create_table(
        "attachments",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("change", _NUMBER, nullable=False),
        sa.Column("person", _NUMBER, nullable=False),
        sa.Column("head", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("at", _TEXT, nullable=False),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["change"], ["changes.id"], name="fk_attachments_change"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_attachments_person"),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
        sa.UniqueConstraint("change", "head", "kind", "digest", name="uq_attachments_change_head_kind_digest"),
        sqlite_strict=True,
    )
    op.create_index("ix_attachments_change", "attachments", ["change"], unique=False)
    op.create_index("ix_attachments_person", "attachments", ["person"], unique=False)
    op.create_table(
        "looks",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("change", _NUMBER, nullable=False),
        sa.Column("person", _NUMBER, nullable=False),
        sa.Column("head", _TEXT, nullable=False),
        sa.Column("hunk", _TEXT, nullable=False),
        sa.Column("seconds", _SECONDS, nullable=False),
        sa.Column("first_at", _TEXT, nullable=False),
        sa.Column("last_at", _TEXT, nullable=False),
        sa.Column("understood_at", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(["change"], ["changes.id"], name="fk_looks_change"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_looks_person"),
        sa.PrimaryKeyConstraint("id", name="pk_looks"),
        sa.UniqueConstraint("change", "person", "head", "hunk", name="uq_looks_change_person_head_hunk"),
        sqlite_strict=True,
    )
    op.create_index("ix_looks_change", "looks", ["change"], unique=False)
    op.create_index("ix_looks_person", "looks", ["person"], unique=False)
    op.create_table(
        "publications",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("change", _NUMBER, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("forge_id", _TEXT, nullable=True),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("attempts", _NUMBER, nullable=False),
        sa.Column("made_at", _TEXT, nullable=False),
        sa.Column("sent_at", _TEXT, nullable=True),
        sa.Column("problem", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(["change"], ["changes.id"], name="fk_publications_change"),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
        sa.UniqueConstraint("key", name="uq_publications_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_publications_change", "publications", ["change"], unique=False)
    op.create_table(
        "questions",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("change", _NUMBER, nullable=False),
        sa.Column("person", _NUMBER, nullable=False),
        sa.Column("head", _TEXT, nullable=False),
        sa.Column("hunk", _TEXT, nullable=False),
        sa.Column("text", _TEXT, nullable=False),
        sa.Column("asked_at", _TEXT, nullable=False),
        sa.Column("answer", _TEXT, nullable=True),
        sa.Column("answered_by", _NUMBER, nullable=True),
        sa.Column("answered_at", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(["answered_by"], ["people.id"], name="fk_questions_answered_by"),
        sa.ForeignKeyConstraint(["change"], ["changes.id"], name="fk_questions_change"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_questions_person"),
        sa.PrimaryKeyConstraint("id", name="pk_questions"),
        sqlite_strict=True,
    )
    op.create_index("ix_questions_answered_by", "questions", ["answered_by"], unique=False)
    op.create_index("ix_questions_change", "questions", ["change"], unique=False)
    op.create_index("ix_questions_person", "questions", ["person"], unique=False)
    op.create_table(
        "production_messages",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("sender", _TEXT, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=True),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("received_at", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_production_messages"),
        sa.UniqueConstraint("sender", "digest", name="uq_production_messages_sender_digest"),
        sqlite_strict=True,
    )
    op.create_index("ix_production_messages_received_at", "production_messages", ["received_at"], unique=False)
    op.create_table(
        "production_events",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("message", _NUMBER, nullable=True),
        sa.Column("sender", _TEXT, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("at", _SECONDS, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("received_at", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["message"], ["production_messages.id"], name="fk_production_events_message"),
        sa.PrimaryKeyConstraint("id", name="pk_production_events"),
        sa.UniqueConstraint("sender", "key", name="uq_production_events_sender_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_production_events_at", "production_events", ["at"], unique=False)
    op.create_index("ix_production_events_kind_subject", "production_events", ["kind", "subject"], unique=False)
    op.create_index("ix_production_events_message", "production_events", ["message"], unique=False)
    op.create_table(
        "deployments",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("sender", _TEXT, nullable=False),
        sa.Column("environment", _TEXT, nullable=False),
        sa.Column("service", _TEXT, nullable=False),
        sa.Column("status", _TEXT, nullable=False),
        sa.Column("action", _TEXT, nullable=False),
        sa.Column("started", _SECONDS, nullable=False),
        sa.Column("finished", _SECONDS, nullable=True),
        sa.Column("repository", _TEXT, nullable=False),
        sa.Column("revision", _TEXT, nullable=False),
        sa.Column("previous", _TEXT, nullable=False),
        sa.Column("artifact", _TEXT, nullable=False),
        sa.Column("share", _SECONDS, nullable=True),
        sa.Column("actor", _TEXT, nullable=False),
        sa.Column("url", _TEXT, nullable=False),
        sa.Column("chain", _TEXT, nullable=False),
        sa.Column("signed", _NUMBER, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("changed_at", _TEXT, nullable=False),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deployments"),
        sa.UniqueConstraint("key", name="uq_deployments_key"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_deployments_environment_service_started", "deployments", ["environment", "service", "started"], unique=False
    )
    op.create_index("ix_deployments_changed_at", "deployments", ["changed_at"], unique=False)
    op.create_index("ix_deployments_revision", "deployments", ["revision"], unique=False)
    op.create_index("ix_deployments_started", "deployments", ["started"], unique=False)
    op.create_table(
        "incidents",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("title", _TEXT, nullable=False),
        sa.Column("severity", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("environment", _TEXT, nullable=False),
        sa.Column("service", _TEXT, nullable=False),
        sa.Column("started", _SECONDS, nullable=False),
        sa.Column("ended", _SECONDS, nullable=True),
        sa.Column("deployment", _NUMBER, nullable=True),
        sa.Column("revision", _TEXT, nullable=False),
        sa.Column("probability", _SECONDS, nullable=True),
        sa.Column("resolution", _TEXT, nullable=False),
        sa.Column("resolved_by", _NUMBER, nullable=True),
        sa.Column("cause", _TEXT, nullable=False),
        sa.Column("confirmed_by", _NUMBER, nullable=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("opened_at", _TEXT, nullable=False),
        sa.Column("changed_at", _TEXT, nullable=False),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["confirmed_by"], ["people.id"], name="fk_incidents_confirmed_by"),
        sa.ForeignKeyConstraint(["deployment"], ["deployments.id"], name="fk_incidents_deployment"),
        sa.ForeignKeyConstraint(["resolved_by"], ["deployments.id"], name="fk_incidents_resolved_by"),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("key", name="uq_incidents_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_incidents_confirmed_by", "incidents", ["confirmed_by"], unique=False)
    op.create_index("ix_incidents_deployment", "incidents", ["deployment"], unique=False)
    op.create_index(
        "ix_incidents_environment_service_started", "incidents", ["environment", "service", "started"], unique=False
    )
    op.create_index("ix_incidents_resolved_by", "incidents", ["resolved_by"], unique=False)
    op.create_index("ix_incidents_changed_at", "incidents", ["changed_at"], unique=False)
    op.create_index("ix_incidents_state", "incidents", ["state", "started"], unique=False)
    op.create_table(
        "causes",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("incident", _NUMBER, nullable=False),
        sa.Column("person", _NUMBER, nullable=False),
        sa.Column("through", _TEXT, nullable=False),
        sa.Column("cause", _TEXT, nullable=False),
        sa.Column("said_at", _TEXT, nullable=False),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_causes_incident"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_causes_person"),
        sa.PrimaryKeyConstraint("id", name="pk_causes"),
        sqlite_strict=True,
    )
    op.create_index("ix_causes_incident", "causes", ["incident"], unique=False)
    op.create_index("ix_causes_person", "causes", ["person"], unique=False)
    op.create_table(
        "regressions",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("deployment", _NUMBER, nullable=False),
        sa.Column("service", _TEXT, nullable=False),
        sa.Column("metric", _TEXT, nullable=False),
        sa.Column("moved", _SECONDS, nullable=False),
        sa.Column("raised", _SECONDS, nullable=False),
        sa.Column("sure", _SECONDS, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("incident", _NUMBER, nullable=True),
        sa.Column("noticed_at", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["deployment"], ["deployments.id"], name="fk_regressions_deployment"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_regressions_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_regressions"),
        sa.UniqueConstraint("deployment", "service", "metric", name="uq_regressions_deployment_service_metric"),
        sqlite_strict=True,
    )
    op.create_index("ix_regressions_deployment", "regressions", ["deployment"], unique=False)
    op.create_index("ix_regressions_incident", "regressions", ["incident"], unique=False)
    op.create_table(
        "alerts",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("sender", _TEXT, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("started", _SECONDS, nullable=False),
        sa.Column("ended", _SECONDS, nullable=True),
        sa.Column("environment", _TEXT, nullable=False),
        sa.Column("service", _TEXT, nullable=False),
        sa.Column("severity", _TEXT, nullable=False),
        sa.Column("summary", _TEXT, nullable=False),
        sa.Column("labels", _TEXT, nullable=False),
        sa.Column("revision", _TEXT, nullable=False),
        sa.Column("url", _TEXT, nullable=False),
        sa.Column("incident", _NUMBER, nullable=True),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("changed_at", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_alerts_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sa.UniqueConstraint("sender", "key", name="uq_alerts_sender_key"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_alerts_environment_service_started", "alerts", ["environment", "service", "started"], unique=False
    )
    op.create_index("ix_alerts_incident", "alerts", ["incident"], unique=False)
    op.create_index("ix_alerts_started", "alerts", ["started"], unique=False)
    op.create_table(
        "errors",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("sender", _TEXT, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("message", _TEXT, nullable=False),
        sa.Column("first", _SECONDS, nullable=False),
        sa.Column("last", _SECONDS, nullable=True),
        sa.Column("count", _NUMBER, nullable=False),
        sa.Column("frames", sa.LargeBinary, nullable=False),
        sa.Column("environment", _TEXT, nullable=False),
        sa.Column("service", _TEXT, nullable=False),
        sa.Column("revision", _TEXT, nullable=False),
        sa.Column("url", _TEXT, nullable=False),
        sa.Column("incident", _NUMBER, nullable=True),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("changed_at", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_errors_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_errors"),
        sa.UniqueConstraint("sender", "key", name="uq_errors_sender_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_errors_environment_service_first", "errors", ["environment", "service", "first"], unique=False)
    op.create_index("ix_errors_incident", "errors", ["incident"], unique=False)
    op.create_index("ix_errors_revision", "errors", ["revision"], unique=False)
    op.create_table(
        "gates",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("question", _TEXT, nullable=False),
        sa.Column("answer", _TEXT, nullable=False),
        sa.Column("sender", _TEXT, nullable=False),
        sa.Column("environment", _TEXT, nullable=False),
        sa.Column("service", _TEXT, nullable=False),
        sa.Column("repository", _NUMBER, nullable=True),
        sa.Column("revision", _TEXT, nullable=False),
        sa.Column("previous", _TEXT, nullable=False),
        sa.Column("share", _SECONDS, nullable=True),
        sa.Column("outcome", _TEXT, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("asked_by", _TEXT, nullable=False),
        sa.Column("asked_at", _TEXT, nullable=False),
        sa.Column("again_at", _TEXT, nullable=False),
        sa.Column("times", _NUMBER, nullable=False),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["repository"], ["repositories.id"], name="fk_gates_repository"),
        sa.PrimaryKeyConstraint("id", name="pk_gates"),
        sqlite_strict=True,
    )
    op.create_index("ix_gates_environment_service", "gates", ["environment", "service", "id"], unique=False)
    op.create_index("ix_gates_question", "gates", ["question", "id"], unique=False)
    op.create_index("ix_gates_repository", "gates", ["repository"], unique=False)
    op.create_index("ix_gates_revision", "gates", ["revision"], unique=False)
    op.create_table(
        "gate_callbacks",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("callback", _TEXT, nullable=False),
        sa.Column("sender", _TEXT, nullable=False),
        sa.Column("forge", _TEXT, nullable=False),
        sa.Column("repository", _TEXT, nullable=False),
        sa.Column("environment", _TEXT, nullable=False),
        sa.Column("service", _TEXT, nullable=False),
        sa.Column("revision", _TEXT, nullable=False),
        sa.Column("actor", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("said", _TEXT, nullable=False),
        sa.Column("asked_at", _TEXT, nullable=False),
        sa.Column("due_at", _TEXT, nullable=False),
        sa.Column("tries", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gate_callbacks"),
        sa.UniqueConstraint("callback", name="uq_gate_callbacks_callback"),
        sqlite_strict=True,
    )
    op.create_index("ix_gate_callbacks_state_due_at", "gate_callbacks", ["state", "due_at"], unique=False)
    op.create_table(
        "deployment_approvals",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("person", _NUMBER, nullable=False),
        sa.Column("repository", _NUMBER, nullable=False),
        sa.Column("covers", _TEXT, nullable=False),
        sa.Column("environment", _TEXT, nullable=False),
        sa.Column("service", _TEXT, nullable=False),
        sa.Column("revision", _TEXT, nullable=False),
        sa.Column("freeze", _TEXT, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("starts", _SECONDS, nullable=False),
        sa.Column("ends", _SECONDS, nullable=False),
        sa.Column("joins", _NUMBER, nullable=True),
        sa.Column("given_at", _TEXT, nullable=False),
        sa.Column("revoked_at", _TEXT, nullable=True),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_deployment_approvals_person"),
        sa.ForeignKeyConstraint(["repository"], ["repositories.id"], name="fk_deployment_approvals_repository"),
        sa.ForeignKeyConstraint(["joins"], ["deployment_approvals.id"], name="fk_deployment_approvals_joins"),
        sa.PrimaryKeyConstraint("id", name="pk_deployment_approvals"),
        sa.UniqueConstraint("digest", name="uq_deployment_approvals_digest"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_deployment_approvals_environment", "deployment_approvals", ["repository", "environment", "id"], unique=False
    )
    op.create_index("ix_deployment_approvals_person", "deployment_approvals", ["person"], unique=False)
    op.create_index("ix_deployment_approvals_repository", "deployment_approvals", ["repository"], unique=False)
    op.create_index("ix_deployment_approvals_joins", "deployment_approvals", ["joins"], unique=False)
    op.create_table(
        "canaries",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("repository", _NUMBER, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("environment", _TEXT, nullable=False),
        sa.Column("service", _TEXT, nullable=False),
        sa.Column("revision", _TEXT, nullable=False),
        sa.Column("rules", _TEXT, nullable=False),
        sa.Column("verdict", _TEXT, nullable=False),
        sa.Column("since", _SECONDS, nullable=False),
        sa.Column("until", _SECONDS, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("asked_by", _TEXT, nullable=False),
        sa.Column("judged_at", _TEXT, nullable=False),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["repository"], ["repositories.id"], name="fk_canaries_repository"),
        sa.PrimaryKeyConstraint("id", name="pk_canaries"),
        sqlite_strict=True,
    )
    op.create_index("ix_canaries_environment_service", "canaries", ["environment", "service", "id"], unique=False)
    op.create_index("ix_canaries_name", "canaries", ["repository", "name", "id"], unique=False)
    op.create_index("ix_canaries_repository", "canaries", ["repository"], unique=False)
    op.create_table(
        "spans",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("trace", _TEXT, nullable=False),
        sa.Column("span", _TEXT, nullable=False),
        sa.Column("parent", _TEXT, nullable=False),
        sa.Column("environment", _TEXT, nullable=False),
        sa.Column("service", _TEXT, nullable=False),
        sa.Column("operation", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("peer", _TEXT, nullable=False),
        sa.Column("started", _SECONDS, nullable=False),
        sa.Column("seconds", _SECONDS, nullable=False),
        sa.Column("failed", _NUMBER, nullable=False),
        sa.Column("revision", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_spans"),
        sa.UniqueConstraint("trace", "span", name="uq_spans_trace_span"),
        sqlite_strict=True,
    )
    op.create_index("ix_spans_service_started", "spans", ["service", "started"], unique=False)
    op.create_index("ix_spans_started", "spans", ["started"], unique=False)
    op.create_index("ix_spans_trace_parent", "spans", ["trace", "parent"], unique=False)
    op.create_table(
        "service_edges",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("environment", _TEXT, nullable=False),
        sa.Column("caller", _TEXT, nullable=False),
        sa.Column("callee", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("first", _SECONDS, nullable=False),
        sa.Column("last", _SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_service_edges"),
        sa.UniqueConstraint(
            "environment", "caller", "callee", "kind", name="uq_service_edges_environment_caller_callee_kind"
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "series",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("labels", _TEXT, nullable=False),
        sa.Column("service", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.UniqueConstraint("digest", name="uq_series_digest"),
        sqlite_strict=True,
    )
    op.create_index("ix_series_service_name", "series", ["service", "name"], unique=False)
    op.create_table(
        "samples",
        sa.Column("series", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", _SECONDS, autoincrement=False, nullable=False),
        sa.Column("value", _SECONDS, nullable=False),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name="fk_samples_series"),
        sa.PrimaryKeyConstraint("series", "at", name="pk_samples"),
        sqlite_strict=True,
    )
    op.create_index("ix_samples_at", "samples", ["at"], unique=False)
    op.create_table(
        "outcomes",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("repository", _NUMBER, nullable=False),
        sa.Column("environment", _TEXT, nullable=False),
        sa.Column("revision", _TEXT, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.Column("result", _TEXT, nullable=False),
        sa.Column("weight", _SECONDS, nullable=False),
        sa.Column("deployed", _SECONDS, nullable=False),
        sa.Column("known", _SECONDS, nullable=False),
        sa.Column("redeploys", _NUMBER, nullable=False),
        sa.Column("changed_at", _TEXT, nullable=False),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["repository"], ["repositories.id"], name="fk_outcomes_repository"),
        sa.PrimaryKeyConstraint("id", name="pk_outcomes"),
        sa.UniqueConstraint(
            "repository", "environment", "revision", "by", name="uq_outcomes_repository_environment_revision_by"
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_outcomes_by", "outcomes", ["environment", "by"], unique=False)
    op.create_index("ix_outcomes_repository", "outcomes", ["repository"], unique=False)
    op.create_index("ix_outcomes_revision", "outcomes", ["revision"], unique=False)
    op.create_table(
        "landed",
        sa.Column("change", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("repository", _NUMBER, nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
        sa.Column("at", _SECONDS, nullable=False),
        sa.Column("began", _SECONDS, nullable=True),
        sa.Column("revision", _TEXT, nullable=False),
        sa.Column("commits", _TEXT, nullable=False),
        sa.Column("author", _TEXT, nullable=False),
        sa.Column("team", _TEXT, nullable=False),
        sa.Column("merged_by", _TEXT, nullable=False),
        sa.Column("tool", _TEXT, nullable=False),
        sa.Column("model", _TEXT, nullable=False),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("effort", _NUMBER, nullable=False),
        sa.Column("ai", _NUMBER, nullable=False),
        sa.Column("human", _NUMBER, nullable=False),
        sa.Column("mixed", _NUMBER, nullable=False),
        sa.Column("unknown", _NUMBER, nullable=False),
        sa.Column("tests", _NUMBER, nullable=False),
        sa.Column("complexity", _NUMBER, nullable=True),
        sa.Column("cloned", _NUMBER, nullable=True),
        sa.Column("todos", _NUMBER, nullable=True),
        sa.Column("reviewers", _TEXT, nullable=True),
        sa.Column("reviewed", _NUMBER, nullable=True),
        sa.Column("seconds", _SECONDS, nullable=True),
        sa.Column("kept_at", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["change"], ["changes.id"], name="fk_landed_change"),
        sa.ForeignKeyConstraint(["repository"], ["repositories.id"], name="fk_landed_repository"),
        sa.PrimaryKeyConstraint("change", name="pk_landed"),
        sqlite_strict=True,
    )
    op.create_index("ix_landed_at", "landed", ["at"], unique=False)
    op.create_index("ix_landed_kept_at", "landed", ["kept_at"], unique=False)
    op.create_index("ix_landed_repository", "landed", ["repository"], unique=False)
    op.create_table(
        "costs",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("source", _TEXT, nullable=False),
        sa.Column("day", _TEXT, nullable=False),
        sa.Column("tool", _TEXT, nullable=False),
        sa.Column("model", _TEXT, nullable=False),
        sa.Column("person", _TEXT, nullable=False),
        sa.Column("currency", _TEXT, nullable=False),
        sa.Column("amount", _SECONDS, nullable=False),
        sa.Column("changed_at", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_costs"),
        sa.UniqueConstraint(
            "source",
            "day",
            "tool",
            "model",
            "person",
            "currency",
            name="uq_costs_source_day_tool_model_person_currency",
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_costs_day", "costs", ["day"], unique=False)
    op.create_table(
        "culprit_paths",
        sa.Column("incident", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("revision", _TEXT, nullable=False),
        sa.Column("path", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_culprit_paths_incident"),
        sa.PrimaryKeyConstraint("incident", "revision", "path", name="pk_culprit_paths"),
        sqlite_strict=True,
    )
    op.create_index("ix_culprit_paths_path", "culprit_paths", ["path"], unique=False)
    op.create_table(
        "drills",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("repository", _NUMBER, nullable=False),
        sa.Column("facilitator", _NUMBER, nullable=False),
        sa.Column("pattern", _TEXT, nullable=False),
        sa.Column("seed", _NUMBER, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("problem", _TEXT, nullable=False),
        sa.Column("tries", _NUMBER, nullable=False),
        sa.Column("scenario", sa.LargeBinary, nullable=False),
        sa.Column("report", sa.LargeBinary, nullable=False),
        sa.Column("made_at", _TEXT, nullable=False),
        sa.Column("changed_at", _TEXT, nullable=False),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["facilitator"], ["people.id"], name="fk_drills_facilitator"),
        sa.ForeignKeyConstraint(["repository"], ["repositories.id"], name="fk_drills_repository"),
        sa.PrimaryKeyConstraint("id", name="pk_drills"),
        sqlite_strict=True,
    )
    op.create_index("ix_drills_changed_at", "drills", ["changed_at"], unique=False)
    op.create_index("ix_drills_facilitator", "drills", ["facilitator"], unique=False)
    op.create_index("ix_drills_repository", "drills", ["repository"], unique=False)
    op.create_index("ix_drills_state", "drills", ["state", "id"], unique=False)
    op.create_table(
        "drill_events",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("drill", _NUMBER, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("person", _NUMBER, nullable=False),
        sa.Column("through", _TEXT, nullable=False),
        sa.Column("about", _TEXT, nullable=False),
        sa.Column("said", _TEXT, nullable=False),
        sa.Column("at", _TEXT, nullable=False),
        sa.Column("entry", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["drill"], ["drills.id"], name="fk_drill_events_drill"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_drill_events_person"),
        sa.PrimaryKeyConstraint("id", name="pk_drill_events"),
        sa.UniqueConstraint("drill", "key", name="uq_drill_events_drill_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_drill_events_drill", "drill_events", ["drill"], unique=False)
    op.create_index("ix_drill_events_kind", "drill_events", ["kind", "entry"], unique=False)
    op.create_index("ix_drill_events_person", "drill_events", ["person"], unique=False)
    op.create_table(
        "drill_beats",
        sa.Column("drill", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("due_at", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["drill"], ["drills.id"], name="fk_drill_beats_drill"),
        sa.PrimaryKeyConstraint("drill", "due_at", name="pk_drill_beats"),
        sqlite_strict=True,
    )
    op.create_index("ix_drill_beats_due_at", "drill_beats", ["due_at"], unique=False)
