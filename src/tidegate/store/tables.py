"""Every table of the service. Times are RFC 3339 text in UTC with microseconds, so that they sort; documents are bytes.
What production says happened at a time keeps it as it was said: in Unix seconds.

The types are those that a STRICT table of SQLite knows: text, integers, real numbers, bytes. A truth is 0 or 1.
"""

from __future__ import annotations

from sqlalchemy import REAL, Column, Double, ForeignKey, Index, LargeBinary, MetaData, Table, UniqueConstraint
from sqlalchemy.sql.schema import SchemaItem

from tidegate.store.types import Number, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *items: SchemaItem) -> Table:
    return Table(name, metadata, *items, sqlite_strict=True)


def _id() -> Column[int]:
    return Column("id", Number, primary_key=True)


def _text(name: str, *, null: bool = False, unique: bool = False) -> Column[str]:
    return Column(name, Words, nullable=null, unique=unique)


def _to(name: str, target: str, *, null: bool = False) -> Column[int]:
    return Column(name, Number, ForeignKey(target), nullable=null, index=True)


def _number(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, Number, nullable=null)


def _seconds(name: str, *, null: bool = False) -> Column[float]:
    return Column(name, Double().with_variant(REAL, "sqlite"), nullable=null)


def _bytes(name: str, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null)


# Who: people, the accounts that are theirs, and how they prove it. `role` is one of server/auth/permissions.py.

people = _table(
    "people",
    _id(),
    _text("name", unique=True),
    _text("shown"),
    _text("role"),
    _text("created_at"),
    _text("disabled_at", null=True),
)
identities = _table(
    "identities",
    _id(),
    _to("person", "people.id"),
    _text("kind"),  # forge, email, oidc
    _text("issuer"),  # the forge's or the provider's host; "" for an e-mail address
    _text("subject"),
    _text("added_at"),
    UniqueConstraint("kind", "issuer", "subject"),
)
passwords = _table(
    "passwords",
    Column("person", Number, ForeignKey("people.id"), primary_key=True, autoincrement=False),
    _text("hash"),  # argon2id, in its own text form
    _text("changed_at"),
)
keys = _table(
    "keys",
    _id(),
    _to("person", "people.id"),
    _text("kind"),  # ssh, sk-ssh, webauthn
    _text("fingerprint", unique=True),
    _bytes("public"),
    _text("label"),
    _number("uses"),  # the signature counter of an authenticator
    _text("added_at"),
    _text("revoked_at", null=True),
)
sessions = _table(
    "sessions",
    Column("digest", Words, primary_key=True),  # SHA-256 of the cookie's secret
    _to("person", "people.id"),
    _text("csrf"),
    _text("created_at"),
    _text("seen_at"),
    _text("expires_at"),
)
tokens = _table(
    "tokens",
    _id(),
    _to("person", "people.id"),
    _text("digest", unique=True),  # SHA-256 of the token, which is shown once
    _text("label"),
    _text("scopes"),  # JSON array of text
    _text("created_at"),
    _text("expires_at"),
    _text("used_at", null=True),
    _text("revoked_at", null=True),
)

# What: repositories, what their forge told us, changes, what was said of them.

repositories = _table(
    "repositories",
    _id(),
    _text("forge"),  # github, gitlab
    _text("slug"),  # OWNER/NAME
    _text("clone_url"),
    _text("main"),  # the branch that the population of an audit is read from
    _text("added_at"),
    _text("removed_at", null=True),
    UniqueConstraint("forge", "slug"),
)
deliveries = _table(
    "deliveries",
    _id(),
    _text("forge"),
    _text("delivery"),  # the forge's own id of it, which repeats when it is sent again
    _text("event"),
    _text("slug"),
    _bytes("body"),
    _text("received_at"),
    _text("state"),  # new, taken, done, ignored, failed
    _number("attempts"),
    _text("worker", null=True),  # who took it last
    _text("taken_at", null=True),
    _text("handled_at", null=True),
    _text("problem", null=True),
    UniqueConstraint("forge", "delivery"),
    Index("ix_deliveries_state", "state", "received_at"),
)
changes = _table(
    "changes",
    _id(),
    _to("repository", "repositories.id"),
    _number("number"),
    _text("title"),
    _text("author"),
    _text("target"),
    _text("base"),
    _text("head"),
    _text("state"),  # open, merged, closed
    _text("forge_state"),  # JSON: what the forge said when it was last read
    _text("opened_at"),
    _text("read_at"),
    UniqueConstraint("repository", "number"),
    Index("ix_changes_read_at", "read_at"),
    Index("ix_changes_state", "state"),
)
assessments = _table(
    "assessments",
    _id(),
    _to("change", "changes.id"),
    _text("key", unique=True),  # what it follows from: two with one key are one decision
    _text("base"),
    _text("head"),
    _text("merge_tree"),  # "" where the change does not merge cleanly
    _text("policy"),  # digest
    _text("facts"),  # digest
    _text("verdict"),  # pass, hold, block
    _text("risk", null=True),  # a number as text; null: not rated
    _bytes("document"),  # zlib of the JSON of facts and verdict
    _text("made_at"),
    _number("entry", null=True),  # index in the ledger
    Index("ix_assessments_change_made_at", "change", "made_at"),
)
publications = _table(
    "publications",
    _id(),
    _to("change", "changes.id"),
    _text("key", unique=True),
    _text("kind"),  # check, comment, status
    _text("forge_id", null=True),
    _text("state"),  # new, sent, failed
    _number("attempts"),
    _text("made_at"),
    _text("sent_at", null=True),
    _text("problem", null=True),
)

# What people did: approvals, time spent reading, questions, emergencies.

approvals = _table(
    "approvals",
    _id(),
    _to("change", "changes.id"),
    _to("person", "people.id"),
    _to("with_key", "keys.id", null=True),
    _text("evidence"),  # ssh, sk-ssh, webauthn, forge-click, console-password
    _text("stage"),
    _text("target"),
    _text("base"),
    _text("head"),
    _text("merge_tree"),
    _text("policy"),
    _text("facts"),
    _bytes("envelope"),
    _text("digest", unique=True),  # SHA-256 of the envelope: sent twice, it counts once
    _text("at"),
    _text("expires_at"),
    _text("revoked_at", null=True),
    _number("entry", null=True),
)
attachments = _table(
    "attachments",  # reports and plans that somebody vouches to be of this head
    _id(),
    _to("change", "changes.id"),
    _to("person", "people.id"),
    _text("head"),
    _text("kind"),  # transcript, plan, coverage, junit, sarif, mutation
    _text("name"),
    _text("digest"),  # SHA-256 of the file
    _bytes("body"),  # zlib
    _number("size"),
    _text("at"),
    _number("entry", null=True),
    UniqueConstraint("change", "head", "kind", "digest"),
)
looks = _table(
    "looks",
    _id(),
    _to("change", "changes.id"),
    _to("person", "people.id"),
    _text("head"),
    _text("hunk"),  # PATH:FIRST-LAST at the head; "" is the page itself
    _seconds("seconds"),  # visible and active only
    _text("first_at"),
    _text("last_at"),
    _text("understood_at", null=True),
    UniqueConstraint("change", "person", "head", "hunk"),
)
questions = _table(
    "questions",
    _id(),
    _to("change", "changes.id"),
    _to("person", "people.id"),
    _text("head"),
    _text("hunk"),
    _text("text"),
    _text("asked_at"),
    _text("answer", null=True),
    _to("answered_by", "people.id", null=True),
    _text("answered_at", null=True),
)
emergencies = _table(
    "emergencies",
    _id(),
    _to("change", "changes.id"),
    _text("reason"),
    _to("asked_by", "people.id"),
    _to("confirmed_by", "people.id", null=True),
    _text("asked_at"),
    _text("confirmed_at", null=True),
    _text("expires_at"),
    _number("entry", null=True),
)

# What production says. `state` is what the fold of all messages needs to take in another one, whenever it comes.

production_messages = _table(
    "production_messages",  # whole messages as they came, each once
    _id(),
    _text("sender"),
    _text("digest"),  # SHA-256 of the body
    _bytes("body", null=True),  # zlib; null where its size or its retention forbids it
    _number("size"),
    _text("received_at"),
    UniqueConstraint("sender", "digest"),
    Index("ix_production_messages_received_at", "received_at"),
)
production_events = _table(
    "production_events",  # what was read of them: one message may say several things
    _id(),
    _to("message", "production_messages.id", null=True),
    _text("sender"),
    _text("key"),  # of two with one key the first counts
    _text("kind"),  # deployment, alert, error, unused
    _text("subject"),  # the deployment, alert or error that it is about; of unused ones the sender's word for the type
    _seconds("at"),
    _bytes("document"),  # JSON of the value
    _text("received_at"),
    UniqueConstraint("sender", "key"),
    Index("ix_production_events_kind_subject", "kind", "subject"),
    Index("ix_production_events_at", "at"),
)
deployments = _table(
    "deployments",
    _id(),
    _text("key", unique=True),  # SENDER/NAME
    _text("sender"),
    _text("environment"),
    _text("service"),
    _text("status"),  # started, succeeded, failed, rolled_back, cancelled
    _text("action"),  # deploy, roll_back, remove
    _seconds("started"),
    _seconds("finished", null=True),
    _text("repository"),
    _text("revision"),
    _text("previous"),
    _text("artifact"),
    _seconds("share", null=True),  # of the traffic, 0 to 1
    _text("actor"),
    _text("url"),
    _text("chain"),
    _number("signed"),  # 1: a holder of the sender's secret signed every message about it
    _bytes("state"),
    _text("changed_at"),
    _number("entry", null=True),
    Index("ix_deployments_environment_service_started", "environment", "service", "started"),
    Index("ix_deployments_changed_at", "changed_at"),
    Index("ix_deployments_revision", "revision"),
    Index("ix_deployments_started", "started"),
)
incidents = _table(
    "incidents",
    _id(),
    _text("key", unique=True),  # what it was opened for: opened twice, it is one
    _text("title"),
    _text("severity"),
    _text("state"),  # open, resolved
    _text("environment"),
    _text("service"),
    _seconds("started"),
    _seconds("ended", null=True),
    _to("deployment", "deployments.id", null=True),  # the suspect
    _text("revision"),  # the suspect commit, "" where none is named
    _seconds("probability", null=True),  # that it is the suspect
    _text("resolution"),  # "", roll_back, hot_fix, forward_fix, none
    _to("resolved_by", "deployments.id", null=True),
    _text("cause"),  # what a person confirmed: a commit, or a word for a cause that is no change; "" until then
    _to("confirmed_by", "people.id", null=True),
    _bytes("document"),  # zlib of the JSON of the investigation
    _text("opened_at"),
    _text("changed_at"),
    _number("entry", null=True),
    Index("ix_incidents_changed_at", "changed_at"),
    Index("ix_incidents_state", "state", "started"),
    Index("ix_incidents_environment_service_started", "environment", "service", "started"),
)
causes = _table(
    "causes",  # what people said caused an incident, each word once: the ledger holds them all
    _id(),
    _to("incident", "incidents.id"),
    _to("person", "people.id"),
    _text("through"),  # session, token
    _text("cause"),  # a commit, or a word for what is no change
    _text("said_at"),
    _number("entry", null=True),
)
alerts = _table(
    "alerts",
    _id(),
    _text("sender"),
    _text("key"),
    _text("name"),
    _seconds("started"),
    _seconds("ended", null=True),
    _text("environment"),
    _text("service"),
    _text("severity"),  # low, medium, high, critical
    _text("summary"),
    _text("labels"),  # JSON object of text
    _text("revision"),
    _text("url"),
    _to("incident", "incidents.id", null=True),
    _bytes("state"),
    _text("changed_at"),
    UniqueConstraint("sender", "key"),
    Index("ix_alerts_environment_service_started", "environment", "service", "started"),
    Index("ix_alerts_started", "started"),
)
errors = _table(
    "errors",
    _id(),
    _text("sender"),
    _text("key"),
    _text("kind"),
    _text("message"),
    _seconds("first"),
    _seconds("last", null=True),
    _number("count"),
    _bytes("frames"),  # JSON
    _text("environment"),
    _text("service"),
    _text("revision"),
    _text("url"),
    _to("incident", "incidents.id", null=True),
    _bytes("state"),
    _text("changed_at"),
    UniqueConstraint("sender", "key"),
    Index("ix_errors_environment_service_first", "environment", "service", "first"),
    Index("ix_errors_revision", "revision"),
)

regressions = _table(
    "regressions",  # what got worse after a deployment, as the watch says: one row for each metric that it raised
    _id(),
    _to("deployment", "deployments.id"),
    _text("service"),
    _text("metric"),
    _seconds("moved"),
    _seconds("raised"),
    _seconds("sure"),  # probability, 0 to 1
    _bytes("document"),  # JSON of the whole answer
    _to("incident", "incidents.id", null=True),
    _text("noticed_at"),
    UniqueConstraint("deployment", "service", "metric"),
)

# Gates before an environment and judgements of canaries: what was asked, and what was answered.

gates = _table(
    "gates",  # one row for each answer that differs from the last one to the same question
    _id(),
    _text("question"),  # SHA-256 of who asks what
    _text("answer"),  # SHA-256 of the outcome and of every demand with its state
    _text("sender"),
    _text("environment"),
    _text("service"),
    _to("repository", "repositories.id", null=True),  # NULL where the question names none that we know
    _text("revision"),
    _text("previous"),
    _seconds("share", null=True),  # of the traffic, 0 to 1
    _text("outcome"),  # pass, hold, block
    _bytes("document"),  # zlib of the JSON of the decision (`tidegate.gate/1`)
    _text("asked_by"),
    _text("asked_at"),
    _text("again_at"),  # when the same answer was given last
    _number("times"),
    _number("entry", null=True),
    Index("ix_gates_question", "question", "id"),
    Index("ix_gates_environment_service", "environment", "service", "id"),
    Index("ix_gates_revision", "revision"),
)
gate_callbacks = _table(
    "gate_callbacks",  # questions whose answer is sent to an address, and asked again until there is one
    _id(),
    _text("callback", unique=True),
    _text("sender"),
    _text("forge"),
    _text("repository"),
    _text("environment"),
    _text("service"),
    _text("revision"),
    _text("actor"),
    _text("state"),  # waiting, answered, lost
    _text("said"),  # SHA-256 of what was sent last, "" before
    _text("asked_at"),
    _text("due_at"),
    _number("tries"),
    Index("ix_gate_callbacks_state_due_at", "state", "due_at"),
)
deployment_approvals = _table(
    "deployment_approvals",  # what people say for a deployment: yes to a revision, or that a demand is set aside
    _id(),
    _text("digest", unique=True),
    _to("person", "people.id"),
    _to("repository", "repositories.id"),
    _text("covers"),  # "" of an approval; of an exception the demand: freeze, blast, budget, bake, order, reversal
    _text("environment"),
    _text("service"),
    _text("revision"),
    _text("freeze"),  # the window that an exception is for, "": any
    _text("reason"),
    _seconds("starts"),
    _seconds("ends"),
    _to("joins", "deployment_approvals.id", null=True),  # the exception that a second person joins
    _text("given_at"),
    _text("revoked_at", null=True),
    _number("entry", null=True),
    Index("ix_deployment_approvals_environment", "repository", "environment", "id"),
)
canaries = _table(
    "canaries",
    _id(),
    _to("repository", "repositories.id"),
    _text("name"),  # of the document that says what is compared
    _text("environment"),
    _text("service"),
    _text("revision"),  # of the canary, "" where nobody said
    _text("rules"),  # the commit of the protected branch that the document was read from
    _text("verdict"),  # promote, hold, roll_back
    _seconds("since"),
    _seconds("until"),
    _bytes("document"),  # zlib of the JSON of the judgement
    _text("asked_by"),
    _text("judged_at"),
    _number("entry", null=True),
    Index("ix_canaries_environment_service", "environment", "service", "id"),
    Index("ix_canaries_name", "repository", "name", "id"),
)

# How production is measured, where it is sent to us: kept for a while, then only what follows from it.

spans = _table(
    "spans",
    _id(),
    _text("trace"),  # hexadecimal, as are span and parent
    _text("span"),
    _text("parent"),  # "" of a root
    _text("environment"),
    _text("service"),
    _text("operation"),
    _text("kind"),  # internal, server, client, producer, consumer
    _text("peer"),  # whom it called, in its own words
    _seconds("started"),
    _seconds("seconds"),
    _number("failed"),
    _text("revision"),
    UniqueConstraint("trace", "span"),
    Index("ix_spans_trace_parent", "trace", "parent"),
    Index("ix_spans_service_started", "service", "started"),
    Index("ix_spans_started", "started"),
)
service_edges = _table(
    "service_edges",
    _id(),
    _text("environment"),
    _text("caller"),
    _text("callee"),
    _text("kind"),  # call, message, peer (known only by the name that the caller uses)
    _seconds("first"),
    _seconds("last"),
    UniqueConstraint("environment", "caller", "callee", "kind"),
)
series = _table(
    "series",
    _id(),
    _text("digest", unique=True),  # SHA-256 of name and labels
    _text("name"),
    _text("labels"),  # JSON object of text, sorted
    _text("service"),
    Index("ix_series_service_name", "service", "name"),
)
samples = _table(
    "samples",
    Column("series", Number, ForeignKey("series.id"), primary_key=True, autoincrement=False),
    Column("at", Double().with_variant(REAL, "sqlite"), primary_key=True, autoincrement=False),
    _seconds("value"),
    Index("ix_samples_at", "at"),
)

# What became of what was deployed.

outcomes = _table(
    "outcomes",  # of a commit in an environment: one row for each thing that says it, written over as more is known
    _id(),
    _to("repository", "repositories.id"),
    _text("environment"),
    _text("revision"),
    _text("by"),  # an incident, a deployment or a commit that says it; "" of a commit that is clean
    _text("result"),  # clean, reverted, fixed, incident, rolled-back
    _seconds("weight"),  # how sure it is, 0 to 1; 0: taken back
    _seconds("deployed"),
    _seconds("known"),
    _number("redeploys"),
    _text("changed_at"),
    _number("entry", null=True),
    UniqueConstraint("repository", "environment", "revision", "by"),
    Index("ix_outcomes_revision", "revision"),
    Index("ix_outcomes_by", "environment", "by"),
)
landed = _table(
    "landed",  # what is counted of a change that was merged; made anew from what is kept wherever `version` is old
    Column("change", Number, ForeignKey("changes.id"), primary_key=True, autoincrement=False),
    _to("repository", "repositories.id"),
    _number("version"),
    _seconds("at"),  # when it was merged, in Unix seconds
    _seconds("began", null=True),  # its first commit
    _text("revision"),  # as which commit, "" where nobody says
    _text("commits"),  # what it brought, with its head: full ids with a blank between
    _text("author"),  # a pseudonym, as are merged_by and reviewers
    _text("team"),
    _text("merged_by"),
    _text("tool"),
    _text("model"),
    _number("size"),
    _number("effort"),
    _number("ai"),
    _number("human"),
    _number("mixed"),
    _number("unknown"),
    _number("tests"),
    _number("complexity", null=True),
    _number("cloned", null=True),
    _number("todos", null=True),
    _text("reviewers", null=True),  # with a blank between; NULL where nobody knows whether anybody reviewed it
    _number("reviewed", null=True),
    _seconds("seconds", null=True),
    _text("kept_at"),
    Index("ix_landed_at", "at"),
    Index("ix_landed_kept_at", "kept_at"),
)
costs = _table(
    "costs",  # what AI cost: of each source one amount for a day, a tool, a model and a person
    _id(),
    _text("source"),
    _text("day"),  # 2026-11-21
    _text("tool"),
    _text("model"),
    _text("person"),  # a pseudonym, "" where nobody is named
    _text("currency"),
    _seconds("amount"),  # of the currency
    _text("changed_at"),
    UniqueConstraint("source", "day", "tool", "model", "person", "currency"),
    Index("ix_costs_day", "day"),
)
culprit_paths = _table(
    "culprit_paths",  # the files that the cause of an incident touched
    Column("incident", Number, ForeignKey("incidents.id"), primary_key=True, autoincrement=False),
    Column("revision", Words, primary_key=True),
    Column("path", Words, primary_key=True),
    Index("ix_culprit_paths_path", "path"),
)

# Drills: exercises, and what happened in them.

drills = _table(
    "drills",
    _id(),
    _to("repository", "repositories.id"),
    _to("facilitator", "people.id"),  # who made it; others who led it have an event
    _text("pattern"),  # the one that was asked for, "": the one that fits best
    _number("seed"),
    _text("state"),  # making, failed, ready, running, paused, over, reported: what its events come to
    _text("problem"),  # why it could not be made
    _number("tries"),  # how often making it, or its report, was begun
    _bytes("scenario"),  # zlib of the JSON: what was uploaded, then what came of it beside the repository
    _bytes("report"),  # zlib of the JSON
    _text("made_at"),
    _text("changed_at"),
    _number("entry", null=True),
    Index("ix_drills_state", "state", "id"),
    Index("ix_drills_changed_at", "changed_at"),
)
drill_events = _table(
    "drill_events",  # what happened in an exercise, each once: its clock, its people and its decisions follow from it
    _id(),
    _to("drill", "drills.id"),
    _text("key"),  # what there is one of: a decision, a person who joined, the third turn of the clock
    _text("kind"),  # start, pause, resume, skip, end, join, lead, answer
    _to("person", "people.id"),
    _text("through"),  # session, token
    _text("about"),  # the decision; the roles of one who joined, with commas
    _text("said"),  # what was decided; the second that the clock was set to
    _text("at"),
    _number("entry", null=True),
    UniqueConstraint("drill", "key"),
    Index("ix_drill_events_kind", "kind", "entry"),
)
drill_beats = _table(
    "drill_beats",  # when something comes, or a time to decide is up, while the clock runs; made anew with each turn
    Column("drill", Number, ForeignKey("drills.id"), primary_key=True, autoincrement=False),
    Column("due_at", Words, primary_key=True),
    Index("ix_drill_beats_due_at", "due_at"),
)

# The service itself.

workers = _table(
    "workers",
    Column("id", Words, primary_key=True),
    _text("host"),
    _text("started_at"),
    _text("seen_at"),
    _text("stopped_at", null=True),
)
values = _table("values", Column("name", Words, primary_key=True), _text("value"), _text("set_at"))

# The ledger. `ledger/log.py` alone writes here.

entries = _table(
    "entries",
    Column("index", Number, primary_key=True, autoincrement=False),
    _text("key", unique=True),  # what makes it the same entry when it is sent again
    _text("predicate"),
    _text("subject"),
    _bytes("envelope"),
    _bytes("leaf"),  # the hash of the leaf
    _text("at"),
    Index("ix_entries_subject", "subject"),
    Index("ix_entries_predicate_at", "predicate", "at"),
)
tiles = _table(
    "tiles",
    Column("level", Number, primary_key=True, autoincrement=False),
    Column("index", Number, primary_key=True, autoincrement=False),
    _bytes("hashes"),
)
epochs = _table(
    "epochs",  # a log begins at 1 and anew with every recovery; each has an origin of its own
    Column("number", Number, primary_key=True, autoincrement=False),
    _text("origin", unique=True),
    _number("start"),  # the size of the log when the epoch began
    _text("started_at"),
    _text("reason"),
    _text("lost"),  # what the checkpoint outside the database said of the epoch before: its body, or ""
)
heads = _table(
    "heads",  # one row: the state of the log
    Column("origin", Words, primary_key=True),
    _number("size"),
    _bytes("frontier"),
    _number("epoch"),  # grows when a recovery was recorded
    _text("signed_at"),
)
checkpoints = _table(
    "checkpoints", Column("size", Number, primary_key=True, autoincrement=False), _text("note"), _text("at")
)
cosignatures = _table(
    "cosignatures",
    Column("size", Number, ForeignKey("checkpoints.size"), primary_key=True, autoincrement=False),
    Column("witness", Words, primary_key=True),
    _text("line"),
    _text("at"),
)
bodies = _table(
    "bodies",  # what a leaf only commits to; erasing one leaves every proof valid
    Column("commitment", Words, primary_key=True),
    _text("owner"),  # the pseudonym of the person whose data it is
    _text("kind"),
    _bytes("salt", null=True),
    _bytes("body", null=True),
    _text("made_at"),
    _text("erased_at", null=True),
    Index("ix_bodies_owner", "owner"),
)
