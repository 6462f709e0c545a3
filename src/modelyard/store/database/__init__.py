"""The database of a store: SQLite in a file, or PostgreSQL on a server.

Takes: a path or an address.
Gives: engines on which one writes at a time, errors that are ours, attempts with an end.
Never: knows a table.
"""

from modelyard.store.database.attempts import begun, repeated
from modelyard.store.database.engine import damaged_pages, database_path, open_engine, reading, writing
from modelyard.store.database.errors import is_lost, translated_errors

__all__ = [
    "begun",
    "damaged_pages",
    "database_path",
    "is_lost",
    "open_engine",
    "reading",
    "repeated",
    "translated_errors",
    "writing",
]
