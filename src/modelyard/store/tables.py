"""The one set of database tables, and the triggers that make a table append-only.

Other rooms define their tables on :data:`metadata`; :meth:`modelyard.store.Ledger.create_tables` makes them.
"""

from collections.abc import Iterator

import sqlalchemy as sa

__all__ = ["append_only", "changed_triggers", "ledger_table", "metadata"]

metadata = sa.MetaData()
"""All tables of a project; the ledger and whatever stands beside it change in one transaction."""

_TRIGGERS = "triggers"


def append_only(table: sa.Table, *, condition: str = "") -> None:
    """Have SQLite refuse UPDATE, DELETE and the replacement of rows on ``table`` from its creation on.

    INSERT OR REPLACE deletes a row without firing the DELETE trigger; so a row whose key is taken is refused as well.
    Triggers stop mistakes and casual edits. Whoever may write the file may also drop them:
    :func:`changed_triggers` finds that, and the chain of hashes shows what was done to the ledger's rows.

    Parameters
    ----------
    condition
        SQL over ``NEW``: a row for which it holds is refused; by default, a row whose key is taken.
    """
    condition = condition or " OR ".join(_key_is_taken(table))
    triggers: dict[str, str] = table.info.setdefault(_TRIGGERS, {})
    for verb, when in (("UPDATE", ""), ("DELETE", ""), ("INSERT", f"WHEN {condition} ")):
        name = f"{table.name}_no_{'replace' if when else verb.lower()}"
        statement = (
            f"CREATE TRIGGER {name} BEFORE {verb} ON {table.name} {when}"
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table.name} are never changed'); END"
        )
        triggers[name] = statement
        ddl: sa.DDL = sa.DDL(statement)  # type: ignore[no-untyped-call]
        sa.event.listen(table, "after_create", ddl.execute_if(dialect="sqlite"))


def changed_triggers(connection: sa.Connection) -> tuple[str, ...]:
    """Names of the triggers of existing tables that are missing or not as they were made; none but on SQLite."""
    if connection.dialect.name != "sqlite":
        return ()
    query = "SELECT name, tbl_name, type, sql FROM sqlite_master WHERE type IN ('table', 'trigger')"
    found = connection.exec_driver_sql(query).all()
    tables = {row.name for row in found if row.type == "table"}
    stored = {row.name: row.sql for row in found if row.type == "trigger"}
    expected = {
        name: statement
        for table in metadata.tables.values()
        if table.name in tables
        for name, statement in table.info.get(_TRIGGERS, {}).items()
    }
    return tuple(sorted(name for name, statement in expected.items() if stored.get(name) != statement))


def _key_is_taken(table: sa.Table) -> Iterator[str]:
    """A condition for each key of the table: a row that has it already."""
    keys = [rule for rule in table.constraints if isinstance(rule, sa.PrimaryKeyConstraint | sa.UniqueConstraint)]
    for names in sorted(tuple(column.name for column in key.columns) for key in keys):
        same = " AND ".join(f"{name} = NEW.{name}" for name in names)
        yield f"EXISTS (SELECT 1 FROM {table.name} WHERE {same})"  # noqa: S608 - names of our own tables


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
append_only(ledger_table, condition="NEW.sequence != COALESCE((SELECT MAX(sequence) FROM ledger), 0) + 1")
