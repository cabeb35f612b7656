"""For tests that need a link store: on SQLite, and on a real PostgreSQL server."""
