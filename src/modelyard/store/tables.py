"""The one set of database tables, and the triggers that make a table append-only.

Other rooms define their tables on :data:`metadata`; :meth:`modelyard.store.Ledger.create_tables` makes them.
"""

import sqlalchemy as sa

__all__ = ["append_only", "ledger_table", "metadata"]

metadata = sa.MetaData()
"""All tables of a project; the ledger and whatever stands beside it change in one transaction."""


def append_only(table: sa.Table) -> None:
    """Have SQLite refuse UPDATE and DELETE on ``table`` from its creation on.

    Triggers stop mistakes and casual edits. Whoever may write the file may also drop them; the chain of hashes
    is what makes that visible.
    """
    for verb in ("UPDATE", "DELETE"):
        statement = sa.DDL(
            f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name} "
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table.name} are never changed'); END"
        )
        sa.event.listen(table, "after_create", statement.execute_if(dialect="sqlite"))


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
append_only(ledger_table)
# INSERT OR REPLACE deletes a row without firing the DELETE trigger; only the next number may come in.
sa.event.listen(
    ledger_table,
    "after_create",
    sa.DDL(
        "CREATE TRIGGER ledger_next_only BEFORE INSERT ON ledger "
        "WHEN NEW.sequence != COALESCE((SELECT MAX(sequence) FROM ledger), 0) + 1 "
        "BEGIN SELECT RAISE(ABORT, 'only the next row of ledger may be added'); END"
    ).execute_if(dialect="sqlite"),
)
