"""Triggers by which a database itself refuses to change rows.

Takes: a table whose rows are only ever added.
Gives: the statements that guard it, and which guards of a database are missing or altered.
Never: stops somebody who may drop a trigger; the chain of hashes and the checkpoints show what was done then.
"""

from modelyard.store.guards.postgresql import postgresql_guards, postgresql_problems
from modelyard.store.guards.sqlite import sqlite_guards, sqlite_problems

__all__ = ["postgresql_guards", "postgresql_problems", "sqlite_guards", "sqlite_problems"]
