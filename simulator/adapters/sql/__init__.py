"""The store in a SQL database: a file of SQLite, or PostgreSQL and what speaks its protocol."""
