"""What migrations of databases destroy, lock, break and permit: SQL in every tool's layout, Alembic, Django and Rails.

Nothing is executed or connected to. SQL is read by tokens, not by a grammar: the verbs that matter stand at the front
of a statement in every dialect, while half of the `ALTER`s of real migrations are beyond any one grammar.
"""
