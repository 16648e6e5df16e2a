"""The tables of a service: SQLite by default, PostgreSQL by URL. Only what serves or reads a database imports it."""
