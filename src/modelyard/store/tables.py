"""The one set of database tables, and the triggers that make a table append-only.

Other rooms define their tables on :data:`metadata`; :meth:`modelyard.store.Ledger.create_tables` makes them.
"""

import sqlalchemy as sa

from modelyard.store.guards import postgresql_guards, postgresql_problems, sqlite_guards, sqlite_problems

__all__ = ["append_only", "changed_triggers", "ledger_table", "metadata"]

metadata = sa.MetaData()
"""All tables of a project; the ledger and whatever stands beside it change in one transaction."""

_COUNTS = "counts_in"
"""Key of a guarded table's ``info``: the column that counts without gaps, or ``""``."""


def append_only(table: sa.Table, *, next_in: str = "") -> None:
    """Have the database refuse UPDATE, DELETE and the replacement of rows on ``table`` from its creation on.

    Triggers stop mistakes and casual edits. Whoever may write an SQLite file, or owns the tables on a server, may also drop
    them: :func:`changed_triggers` finds that, and the chain of hashes shows what was done to the ledger's rows.

    Parameters
    ----------
    next_in
        Name of a column that counts without gaps: every row but the next is refused.
    """
    table.info[_COUNTS] = next_in
    made = {
        "sqlite": list(sqlite_guards(table, next_in=next_in).values()),
        "postgresql": postgresql_guards(table, next_in=next_in),
    }
    for dialect, statements in made.items():
        for statement in statements:
            ddl: sa.DDL = sa.DDL(statement)  # type: ignore[no-untyped-call]
            sa.event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


def changed_triggers(connection: sa.Connection) -> tuple[str, ...]:
    """Names of the triggers of existing tables that are missing or not as they were made."""
    guarded = {name: table.info[_COUNTS] for name, table in metadata.tables.items() if _COUNTS in table.info}
    if connection.dialect.name == "sqlite":
        made = {name: sqlite_guards(metadata.tables[name], next_in=column) for name, column in guarded.items()}
        return tuple(sorted(sqlite_problems(connection, made)))
    if connection.dialect.name == "postgresql":
        return tuple(sorted(postgresql_problems(connection, guarded)))
    return ()


ledger_table = sa.Table(
    "ledger",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("actor_source", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index("ledger_by_action_and_subject", "action", "subject"),
)
append_only(ledger_table, next_in="sequence")
