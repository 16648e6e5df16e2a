"""Migrations: what they destroy, lock and break, each beside a harmless twin, in every language they are written in."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from tidegate.change.trees import given
from tidegate.facts import Effect
from tidegate.infra.judge import Judgement, judge
from tidegate.infra.sql.family import claims, read
from tidegate.infra.sql.layouts import layout_of, up_part
from tidegate.infra.sql.lexer import statements, tokens
from tidegate.infra.sql.reader import steps_of
from tidegate.infra.sql.types import fate

PATH = "db/migrations/0042_next.up.sql"
TABLES = "CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(200), total numeric(12, 2), state text);"
OLD = {"db/migrations/0001_first.up.sql": TABLES.encode()}


def judged(before: dict[str, str], after: dict[str, str]) -> Judgement:
    trees = given({k: v.encode() for k, v in before.items()}, {k: v.encode() for k, v in after.items()})
    return judge([read(trees, tuple(pair for pair in trees.changed if claims(pair.path)))], (), "human")


def effects(sql: str, path: str = PATH) -> tuple[Effect, ...]:
    """What a new migration does to the tables of TABLES."""
    old = {"db/migrations/0001_first.up.sql": TABLES}
    return judged(old, {**old, path: dedent(sql)}).effects


GRAVE: list[tuple[str, str, str]] = [
    ("DROP TABLE orders;", "DATA_DESTROY", "critical"),
    ("drop table if exists public.\"orders\" cascade", "DATA_DESTROY", "critical"),
    ("/* tidy */ DROP -- it\nTABLE orders", "DATA_DESTROY", "critical"),
    ("/*!50000 DROP TABLE orders */;", "DATA_DESTROY", "critical"),
    ("DROP TABLE orders; CREATE TABLE orders (id int);", "DATA_DESTROY", "critical"),
    ("DROP SCHEMA shop CASCADE;", "DATA_DESTROY", "critical"),
    ("DROP DATABASE shop;", "DATA_DESTROY", "critical"),
    ("TRUNCATE orders;", "DATA_DESTROY", "critical"),
    ("TRUNCATE TABLE ONLY orders RESTART IDENTITY CASCADE;", "DATA_DESTROY", "critical"),
    ("DELETE FROM orders;", "DATA_DESTROY", "critical"),
    ("DELETE FROM orders WHERE true;", "DATA_DESTROY", "critical"),
    ("DELETE FROM orders WHERE 1=1;", "DATA_DESTROY", "critical"),
    ("DELETE FROM orders WHERE (1 = 1) AND 'a' = 'a';", "DATA_DESTROY", "critical"),
    ("DELETE FROM orders WHERE id = 7 OR 1 < 2;", "DATA_DESTROY", "critical"),
    ("DELETE FROM orders WHERE id = id;", "DATA_DESTROY", "critical"),
    ("DELETE FROM orders WHERE id IS NOT NULL;", "DATA_DESTROY", "critical"),
    ("WITH gone AS (DELETE FROM orders RETURNING *) SELECT count(*) FROM gone;", "DATA_DESTROY", "critical"),
    ("DO $$ BEGIN IF true THEN DROP TABLE orders; END IF; END $$;", "DATA_DESTROY", "critical"),
    ("DO $x$ BEGIN EXECUTE 'TRUNCATE orders'; END $x$;", "DATA_DESTROY", "critical"),
    ("IF EXISTS (SELECT 1 FROM sys.tables) DROP TABLE orders", "DATA_DESTROY", "critical"),
    ("CREATE OR REPLACE TABLE orders (id int);", "DATA_DESTROY", "critical"),
    ("ALTER TABLE orders DROP COLUMN note;", "DATA_DESTROY", "high"),
    ("ALTER TABLE orders ADD x int, DROP note;", "DATA_DESTROY", "high"),
    ("ALTER TABLE orders DROP COLUMN IF EXISTS note CASCADE;", "DATA_DESTROY", "high"),
    ("ALTER TABLE orders ALTER COLUMN note TYPE varchar(20);", "DATA_DESTROY", "high"),
    ("ALTER TABLE orders ALTER COLUMN total SET DATA TYPE numeric(12, 0);", "DATA_DESTROY", "high"),
    ("ALTER TABLE orders ALTER COLUMN id TYPE integer;", "DATA_DESTROY", "high"),
    ("ALTER TABLE `orders` MODIFY `note` varchar(10);", "DATA_DESTROY", "high"),
    ("ALTER TABLE orders DROP PARTITION p2024;", "DATA_DESTROY", "high"),
    ("DROP TYPE mood CASCADE;", "DATA_DESTROY", "high"),
    ("UPDATE orders SET state = 'done';", "DATA_DESTROY", "high"),
    ("UPDATE orders SET state = 'done' WHERE 1=1;", "DATA_DESTROY", "high"),
    ("UPDATE orders SET state = (SELECT max(name) FROM states WHERE id = 1);", "DATA_DESTROY", "high"),
    ("ALTER TABLE orders RENAME TO purchases;", "OUTAGE_PARTIAL", "high"),
    ("ALTER TABLE orders RENAME COLUMN note TO remark;", "OUTAGE_PARTIAL", "high"),
    ("RENAME TABLE orders TO purchases;", "OUTAGE_PARTIAL", "high"),
    ("CREATE INDEX orders_state ON orders (state);", "LOCK", "medium"),
    ("ALTER TABLE orders ALTER COLUMN id TYPE numeric(40);", "LOCK", "medium"),
    ("ALTER TABLE orders ALTER COLUMN state SET NOT NULL;", "LOCK", "medium"),
    ("ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES users (id);", "LOCK", "medium"),
    ("ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0);", "LOCK", "medium"),
    ("ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();", "LOCK", "medium"),
    ("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;", "LOCK", "medium"),
    ("VACUUM FULL orders;", "LOCK", "high"),
    ("ALTER TABLE orders ADD COLUMN region text NOT NULL;", "APPLY_FAIL", "medium"),
    ("CREATE UNIQUE INDEX CONCURRENTLY one ON orders (note);", "APPLY_FAIL", "medium"),
    ("ALTER TABLE orders ADD CONSTRAINT one UNIQUE (note);", "APPLY_FAIL", "medium"),
    ("GRANT ALL ON orders TO PUBLIC;", "IAM_WIDEN", "high"),
    ("ALTER ROLE app WITH SUPERUSER;", "IAM_WIDEN", "high"),
    ("ALTER TABLE orders DISABLE ROW LEVEL SECURITY;", "IAM_WIDEN", "high"),
    ("DROP POLICY own ON orders;", "IAM_WIDEN", "medium"),
    ("ALTER TABLE orders DISABLE TRIGGER ALL;", "GUARD_REMOVED", "medium"),
    ("ALTER TABLE orders SET UNLOGGED;", "DATA_DURABILITY", "high"),
]  # fmt: skip
SILENT = [
    "CREATE TABLE users (id int); CREATE INDEX u ON users (id); ALTER TABLE users DROP COLUMN id; DROP TABLE users;",
    "CREATE TABLE users (id int); ALTER TABLE users ADD COLUMN x int NOT NULL; DELETE FROM users;",
    "DROP TABLE IF EXISTS users; CREATE TABLE users (id int);",
    "CREATE TEMP TABLE t AS SELECT 1; DROP TABLE t;",
    "ALTER TABLE orders ADD COLUMN hint text;",
    "ALTER TABLE orders ADD COLUMN kind text NOT NULL DEFAULT 'web';",
    "ALTER TABLE orders ADD COLUMN at timestamptz NOT NULL DEFAULT now();",
    "ALTER TABLE orders ADD COLUMN draft text; ALTER TABLE orders DROP COLUMN draft;",
    "CREATE INDEX CONCURRENTLY orders_state ON orders (state);",
    "INSERT INTO orders (id, note) VALUES (1, 'DROP TABLE orders; TRUNCATE orders');",
    "-- DROP TABLE orders;\nSELECT 1;",
    "/* DROP TABLE orders; /* nested */ TRUNCATE orders; */ SELECT 1;",
    "COMMENT ON TABLE orders IS 'never DELETE FROM orders;';",
    "SELECT $$ DROP TABLE orders; $$;",
    "DELETE FROM orders WHERE state = 'draft';",
    "DELETE FROM orders WHERE id BETWEEN 1 AND 9;",
    "DELETE FROM orders USING users WHERE users.id = orders.id;",
    "UPDATE orders SET state = 'done' WHERE id = 7;",
    "UPDATE orders SET state = COALESCE(state, 'new');",
    "UPDATE orders SET state = s.name FROM states s WHERE s.id = orders.id;",
    "INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET note = 'x';",
    "CREATE FUNCTION tidy() RETURNS void AS $$ BEGIN DELETE FROM orders; END $$ LANGUAGE plpgsql;",
    "CREATE TRIGGER t AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION tidy();",
    "CREATE TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM orders; SELECT 1; END;",
    "ALTER TABLE orders ALTER COLUMN note TYPE text;",
    "ALTER TABLE orders ALTER COLUMN note TYPE varchar(400);",
    "ALTER TABLE orders ALTER COLUMN state DROP NOT NULL, ALTER COLUMN state SET DEFAULT 'new';",
    "ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES users (id) NOT VALID;",
    "ALTER TABLE orders VALIDATE CONSTRAINT fk;",
    "ALTER TABLE orders DROP CONSTRAINT fk;",
    "ALTER TABLE orders ADD CONSTRAINT n CHECK (state IS NOT NULL) NOT VALID;"
    "ALTER TABLE orders VALIDATE CONSTRAINT n; ALTER TABLE orders ALTER COLUMN state SET NOT NULL;",
    "ALTER TYPE mood ADD VALUE 'fine';",
    "DROP POLICY own ON orders; CREATE POLICY own ON orders USING (true);",
    "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;",
    "ALTER TABLE orders DISABLE TRIGGER a; ALTER TABLE orders ENABLE TRIGGER a;",
    "DROP VIEW v; CREATE VIEW v AS SELECT 1;",
    "ALTER INDEX orders_state RENAME TO orders_state_old;",
    "GRANT SELECT ON orders TO reporting;",
    "CREATE TABLE orders_new (id int); INSERT INTO orders_new SELECT id FROM orders; DROP TABLE orders;"
    "ALTER TABLE orders_new RENAME TO orders;",
]


@pytest.mark.parametrize(("sql", "code", "severity"), GRAVE, ids=[case[0] for case in GRAVE])
def test_a_step_that_hurts_is_said_with_its_table(sql: str, code: str, severity: str) -> None:
    found = effects(sql)
    assert [(one.code, one.severity) for one in found] == [(code, severity)]
    assert found[0].place.path == PATH


@pytest.mark.parametrize("sql", SILENT)
def test_a_step_that_does_not_is_silent(sql: str) -> None:
    found = judged({"db/migrations/0001_first.up.sql": TABLES}, {"db/migrations/0001_first.up.sql": TABLES, PATH: sql})
    assert (found.effects, found.unjudged) == ((), ())


def test_a_backfill_of_a_column_that_is_new_is_a_line() -> None:
    found = effects("ALTER TABLE orders ADD COLUMN hint text;\nUPDATE orders SET hint = note;")
    assert [(one.code, one.severity, one.place.line) for one in found] == [("LOCK", "low", 2)]


def test_sql_that_is_put_together_cannot_be_judged() -> None:
    old = {"db/migrations/0001_first.up.sql": TABLES}
    sql = "DO $$ BEGIN EXECUTE 'DROP TABLE ' || name; END $$;"
    assert "DROP TABLE" in judged(old, {**old, PATH: sql}).unjudged[0].reason


def test_an_applied_migration_that_is_edited_is_said_and_its_comments_are_not() -> None:
    path = "db/migrations/V1__first.sql"
    found = judged({path: TABLES}, {path: TABLES + "DROP TABLE orders;"}).effects
    assert [(one.code, one.severity) for one in found] == [("APPLY_FAIL", "medium")]
    plain = "db/migrations/0001_first.up.sql"
    assert [one.severity for one in judged({plain: TABLES}, {plain: TABLES + "SELECT 1;"}).effects] == ["low"]
    assert judged({plain: TABLES}, {plain: f"-- the first\n{TABLES}"}).effects == ()


def test_ways_back_are_not_the_change_but_are_named() -> None:
    old = {"db/migrations/0001_first.up.sql": TABLES}
    down = {"db/migrations/0042_next.down.sql": "DROP TABLE orders;"}
    assert judged(old, {**old, **down}).effects == ()
    drop = {PATH: "ALTER TABLE orders DROP COLUMN note;"}
    assert "no down migration" in judged(old, {**old, **drop}).effects[0].back
    assert "makes it again" in judged(old, {**old, **drop, **down}).effects[0].back
    goose = "-- +goose Up\nALTER TABLE orders ADD hint text;\n-- +goose Down\nALTER TABLE orders DROP COLUMN note;\n"
    assert judged(old, {**old, PATH: goose}).effects == ()
    assert up_part(goose)[2]


def test_a_dump_is_compared_by_its_tables_and_only_where_no_migration_comes_with_it() -> None:
    two = f"{TABLES}\nCREATE TABLE users (id int, name text);"
    assert judged({"db/schema.sql": TABLES}, {"db/schema.sql": two}).effects == ()
    gone = judged({"db/schema.sql": two}, {"db/schema.sql": TABLES}).effects
    assert [(one.address, one.certainty) for one in gone] == [("table users", "possible")]
    after = {"db/schema.sql": TABLES, "db/migrate/2_x.sql": "DROP TABLE users;"}
    assert len(judged({"db/schema.sql": two}, after).effects) == 1


def test_mysql_builds_indexes_while_others_write() -> None:
    assert effects("ALTER TABLE `orders` ADD INDEX `s` (`state`), ENGINE=InnoDB;") == ()
    assert effects("CREATE INDEX s ON orders (state);", "mysql/migrations/0042_next.up.sql") == ()


def test_a_body_between_delimiters_of_its_own_is_one_statement() -> None:
    sql = "DELIMITER //\nCREATE PROCEDURE p() BEGIN DELETE FROM orders; END//\nDELIMITER ;\nDROP TABLE orders;\n"
    found = effects(sql)
    assert [(one.code, one.place.line) for one in found] == [("DATA_DESTROY", 4)]


def test_batches_of_tsql_keep_their_lines() -> None:
    found = effects(
        "SELECT 1\nGO\nSELECT 2\nGO\nALTER TABLE [dbo].[orders]\n  DROP COLUMN [note]\nDROP TABLE orders\nGO\n"
    )
    assert [(one.address, one.place.line) for one in found] == [("table orders", 7), ("column dbo.orders.note", 5)]


@pytest.mark.parametrize("part", ["{{ ", "GO\n", "/* ", "(", "$a$ $b$ ", "'"])
def test_hostile_scripts_take_no_more_time_than_their_length(part: str) -> None:
    assert judged({}, {PATH: part * 20001}).effects == ()


def test_conditions_nested_deeper_than_anybody_writes_are_no_choice() -> None:
    assert len(effects(f"DELETE FROM orders WHERE {'(' * 99}id = 1{')' * 99};")) == 1
    assert effects(f"DELETE FROM orders WHERE {'(' * 9}id = 1{')' * 9};") == ()


def test_a_script_longer_than_is_read_is_said() -> None:
    text = "INSERT INTO orders (id) VALUES (1);\n" + f"/* {'rows ' * 400_000} */"
    assert "only the first" in judged({}, {PATH: text}).unjudged[0].reason


ALEMBIC = """
from alembic import op
import sqlalchemy as sa

def upgrade():
    {up}

def downgrade():
    op.drop_table("orders")
"""
PYTHON: list[tuple[str, str | None]] = [
    ('op.drop_table("orders")', "DATA_DESTROY"),
    ('op.drop_column("orders", "note")', "DATA_DESTROY"),
    ('with op.batch_alter_table("orders") as b:\n        b.drop_column("note")', "DATA_DESTROY"),
    ('op.execute("TRUNCATE orders")', "DATA_DESTROY"),
    ('op.execute(sa.text("DELETE FROM orders"))', "DATA_DESTROY"),
    ('op.alter_column("orders", "note", existing_type=sa.String(200), type_=sa.String(length=20))', "DATA_DESTROY"),
    ('op.alter_column("orders", "note", new_column_name="remark")', "OUTAGE_PARTIAL"),
    ('op.alter_column("orders", "note", nullable=False)', "LOCK"),
    ('op.create_index("i", "orders", ["state"])', "LOCK"),
    ('op.add_column("orders", sa.Column("region", sa.String(), nullable=False))', "APPLY_FAIL"),
    ('op.rename_table("orders", "purchases")', "OUTAGE_PARTIAL"),
    ('op.create_index("i", "orders", ["state"], postgresql_concurrently=True)', "APPLY_FAIL"),
    (
        "with op.get_context().autocommit_block():\n"
        '        op.create_index("i", "orders", ["state"], postgresql_concurrently=True)',
        None,
    ),
    ('op.add_column("orders", sa.Column("region", sa.String(), nullable=True))', None),
    ('op.add_column("orders", sa.Column("n", sa.Integer(), nullable=False, server_default="0"))', None),
    ('op.create_table("users", sa.Column("id", sa.Integer()))\n    op.drop_column("users", "id")', None),
    ('op.drop_index("i", table_name="orders")', None),
]  # fmt: skip


@pytest.mark.parametrize(("up", "code"), PYTHON, ids=[case[0] for case in PYTHON])
def test_alembic(up: str, code: str | None) -> None:
    found = effects(ALEMBIC.format(up=up), "app/alembic/versions/ab12_next.py")
    assert [one.code for one in found] == ([code] if code else [])


def test_what_alembic_computes_is_said() -> None:
    text = ALEMBIC.format(up='for t in tables():\n        op.drop_table(t)\n        op.execute(f"DROP TABLE {t}")')
    assert len(judged({}, {"alembic/versions/x.py": text}).unjudged) == 2


DJANGO = """
from django.db import migrations, models

def clear(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    {body}

class Migration(migrations.Migration):
    operations = [{up}]
"""
OPERATIONS: list[tuple[str, str | None]] = [
    ('migrations.DeleteModel(name="Order")', "DATA_DESTROY"),
    ('migrations.RemoveField(model_name="order", name="note")', "DATA_DESTROY"),
    ('migrations.RunSQL("DROP TABLE shop_order")', "DATA_DESTROY"),
    ('migrations.RunSQL(["UPDATE shop_order SET note = 1"])', "DATA_DESTROY"),
    ("migrations.RunPython(clear)", "DATA_DESTROY"),
    ('migrations.RenameField("order", "note", "remark")', "OUTAGE_PARTIAL"),
    ('migrations.RenameModel("Order", "Purchase")', "OUTAGE_PARTIAL"),
    ('migrations.AddIndex("order", models.Index(fields=["note"]))', "LOCK"),
    ('migrations.AlterField("order", "note", models.CharField(max_length=10))', "DATA_DESTROY"),
    ('migrations.AlterField("order", "note", models.CharField(max_length=200))', None),
    ('migrations.AddField("order", "hint", models.TextField(null=True))', None),
    ('migrations.AddField("order", "n", models.IntegerField(default=0))', None),
    ('migrations.AlterField("order", "note", models.CharField(max_length=100, help_text="x"))', None),
    ('migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Order")])', None),
    ('migrations.CreateModel("User", []), migrations.RemoveField("user", "x")', None),
]


@pytest.mark.parametrize(("up", "code"), OPERATIONS, ids=[case[0] for case in OPERATIONS])
def test_django(up: str, code: str | None) -> None:
    first = DJANGO.format(
        up='migrations.CreateModel("Order", [("note", models.CharField(max_length=100))])', body="pass"
    )
    old = {"shop/migrations/0001_initial.py": first}
    text = DJANGO.format(up=up, body="Order.objects.all().delete()")
    found = judged(old, {**old, "shop/migrations/0002_next.py": text}).effects
    assert [one.code for one in found] == ([code] if code else [])


RAILS = "class Next < ActiveRecord::Migration[7.1]\n{extra}  def change\n    {up}\n  end\nend\n"
RUBY: list[tuple[str, str | None]] = [
    ("drop_table :orders", "DATA_DESTROY"),
    ("drop_table(:orders, if_exists: true)", "DATA_DESTROY"),
    ("remove_column :orders, :note, :string", "DATA_DESTROY"),
    ("safety_assured { remove_column :orders, :note }", "DATA_DESTROY"),
    ("remove_columns :orders,\n      :note", "DATA_DESTROY"),
    ("remove_reference :orders, :user", "DATA_DESTROY"),
    ("change_table :orders do |t|\n      t.remove :note\n    end", "DATA_DESTROY"),
    ('execute "TRUNCATE orders"', "DATA_DESTROY"),
    ("execute <<~SQL\n      DELETE FROM orders\n    SQL", "DATA_DESTROY"),
    ("Order.delete_all", "DATA_DESTROY"),
    ("Order.unscoped.update_all(state: 1)", "DATA_DESTROY"),
    ("change_column :orders, :note, :string, limit: 20", "DATA_DESTROY"),
    ("rename_column :orders, :note, :remark", "OUTAGE_PARTIAL"),
    ("rename_table :orders, :purchases", "OUTAGE_PARTIAL"),
    ("change_column_null :orders, :state, false", "LOCK"),
    ("add_index :orders, [:state, :note]", "LOCK"),
    ("add_index :orders, :state, algorithm: :concurrently", "APPLY_FAIL"),
    ("add_column :orders, :region, :string, null: false", "APPLY_FAIL"),
    ("add_column :orders, :region, :string, null: false, default: ''", None),
    ("add_column :orders, :region, :string # drop_table :orders", None),
    ("# drop_table :orders", None),
    ("create_table :users do |t|\n      t.string :x\n    end\n    add_index :users, :x", None),
    ("Order.where(state: 1).delete_all", None),
    ("reversible do |dir|\n      dir.down do\n        drop_table :orders\n      end\n    end", None),
]


@pytest.mark.parametrize(("up", "code"), RUBY, ids=[case[0] for case in RUBY])
def test_rails(up: str, code: str | None) -> None:
    schema = 'create_table "orders", force: :cascade do |t|\n  t.string "note", limit: 200\n  t.string "state"\nend\n'
    old, new = {"db/schema.rb": schema}, "db/migrate/20260101000000_next.rb"
    found = judged(old, {**old, new: RAILS.format(up=up, extra="")}).effects
    assert [one.code for one in found] == ([code] if code else [])


def test_rails_outside_of_a_transaction_and_what_it_computes() -> None:
    text = RAILS.format(up="add_index :orders, :state, algorithm: :concurrently", extra="  disable_ddl_transaction!\n")
    assert effects(text, "db/migrate/1_x.rb") == ()
    text = RAILS.format(up='drop_table table_name\n    execute "DROP TABLE #{name}"', extra="")
    assert len(judged({}, {"db/migrate/1_x.rb": text}).unjudged) == 2


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("supabase/migrations/20240101_x.sql", "migration"),
        ("prisma/migrations/20240101_x/migration.sql", "migration"),
        ("src/main/resources/db/migration/V3__x.sql", "migration"),
        ("src/main/resources/db/migration/R__views.sql", "repeated"),
        ("src/main/resources/db/migration/U3__x.sql", "down"),
        ("migrations/7_x.down.sql", "down"),
        ("db/structure.sql", "dump"),
        ("drizzle/0001_x.sql", "migration"),
        ("shop/migrations/0002_x.py", "migration"),
        ("db/post_migrate/1_x.rb", "migration"),
        ("supabase/seeds/x.sql", ""),
        ("tests/migrations/1_x.sql", ""),
        ("src/queries/orders.sql", ""),
        ("shop/migrations/__init__.py", ""),
        ("app/models/order.rb", ""),
    ],
)
def test_which_files_are_migrations(path: str, kind: str) -> None:
    assert layout_of(path).kind == kind


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("varchar(50)", "text", "wider"),
        ("text", "varchar(50)", "narrower"),
        ("CHARACTER VARYING(20)", "varchar(20)", "wider"),
        ("int", "bigint", "rewritten"),
        ("bigint", "INTEGER", "narrower"),
        ("numeric(10, 2)", "numeric(12, 2)", "wider"),
        ("numeric(10, 2)", "numeric(12, 4)", "rewritten"),
        ("numeric(10, 4)", "numeric(12, 2)", "narrower"),
        ("timestamp", "date", "narrower"),
        ("double precision", "real", "narrower"),
        ("text", "integer", "narrower"),
        ("integer", "text", "rewritten"),
        ("mood", "mood_new", "unknown"),
        ("", "text", "unknown"),
    ],
)
def test_what_becomes_of_values(before: str, after: str, said: str) -> None:
    assert fate(before, after) == said


@over(st.text(alphabet="abDROP TABLE;'\"`$-/*#\n\\E(){}[]%:1=", max_size=80))
def test_no_text_is_too_strange_and_strings_hide_what_is_in_them(text: str) -> None:
    assert list(tokens(text)) == list(tokens(text))
    list(steps_of(text))
    quoted = "'" + text.replace("'", "''") + "'"
    assert list(steps_of(f"INSERT INTO t VALUES ({quoted})")) == []
    assert len(list(statements(f"SELECT {quoted}; SELECT 2"))) == 2


@over(st.lists(st.sampled_from([case[0].rstrip(";") for case in GRAVE[:30]]), min_size=1, max_size=4))
def test_a_statement_more_never_takes_one_away(parts: list[str]) -> None:
    alone = {step.deed for step in steps_of(parts[0])}
    assert alone <= {step.deed for step in steps_of(";\n".join(parts))}


@pytest.mark.parametrize(
    "sql",
    [
        "/*M!100100 DROP TABLE users */;",
        "DO $a$ BEGIN EXECUTE $b$DROP TABLE users$b$; END $a$;",
        "CREATE FUNCTION f() RETURNS void AS $$ BEGIN DROP TABLE users; END $$ LANGUAGE plpgsql; SELECT f();",
        "CREATE FUNCTION f() RETURNS void AS 'BEGIN DROP TABLE users; END' LANGUAGE plpgsql; SELECT f();",
        "DELIMITER //\nCREATE PROCEDURE p() BEGIN DROP TABLE users; END//\nDELIMITER ;\nCALL p();",
        "DROP TABLE [users]",
        "DELETE FROM users USING orders;",
    ],
)
def test_a_statement_in_another_dress_is_the_same_statement(sql: str) -> None:
    old = {"db/migrations/0001_first.up.sql": TABLES}
    assert "critical" in {one.severity for one in judged(old, {**old, PATH: sql}).effects}


@pytest.mark.parametrize(
    "sql",
    [
        "DO $$ DECLARE q text := 'DROP TABLE users'; BEGIN EXECUTE q; END $$;",
        "DO $$ BEGIN EXECUTE convert_from(decode('RFJPUCBUQUJMRSB1c2Vycw==', 'base64'), 'utf8'); END $$;",
        "\\i /tmp/other.sql",
        "\\! dropdb prod",
        "\\copy users from program 'x'",
        "SELECT format('DROP TABLE %I', t) FROM x \\gexec",
        "COPY users TO PROGRAM 'x';",
        "SELECT dblink_exec('x', 'DROP TABLE users');",
        "SELECT cron.schedule('x', '* * * * *', 'DELETE FROM users');",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM users;",
        "CREATE RULE r AS ON INSERT TO orders DO ALSO DELETE FROM users;",
    ],
)
def test_what_a_script_runs_and_does_not_show_cannot_be_judged(sql: str) -> None:
    old = {"db/migrations/0001_first.up.sql": TABLES}
    assert judged(old, {**old, PATH: sql}).unjudged


@pytest.mark.parametrize(
    "sql",
    [
        "DO $$ BEGIN EXECUTE format('CREATE INDEX %I ON new_one (id)', n); END $$;",
        "CREATE FUNCTION f() RETURNS void AS $$ BEGIN DELETE FROM users; END $$ LANGUAGE plpgsql;",
        "CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();",
        "INSERT INTO orders (id) SELECT id FROM users;",
    ],
)
def test_what_only_may_run_later_is_not_doubted(sql: str) -> None:
    old = {"db/migrations/0001_first.up.sql": TABLES}
    assert judged(old, {**old, PATH: sql}).unjudged == ()


def test_text_that_is_executed_is_not_shown() -> None:
    old = {"db/migrations/0001_first.up.sql": TABLES}
    sql = "DO $$ BEGIN EXECUTE 'ALTER ROLE app PASSWORD ''plum-Tree-48'' ' || x; END $$;"
    (said,) = judged(old, {**old, PATH: sql}).unjudged
    assert "ALTER ROLE" in said.reason
    assert "plum" not in said.reason
