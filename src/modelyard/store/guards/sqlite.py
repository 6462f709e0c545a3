"""The guards on SQLite: one trigger a verb."""

from collections.abc import Iterable, Iterator, Mapping

import sqlalchemy as sa

__all__ = ["sqlite_guards", "sqlite_problems"]


def sqlite_guards(table: sa.Table, *, next_in: str = "") -> dict[str, str]:
    """The triggers of a table by name, each as the statement that makes it.

    INSERT OR REPLACE deletes a row without firing the DELETE trigger; so a row whose key is taken is refused as well.

    Parameters
    ----------
    next_in
        Name of a column that counts without gaps: every row but the next is refused, which covers keys that are taken.
    """
    taken = " OR ".join(_key_is_taken(table))
    condition = f"NEW.{next_in} != COALESCE((SELECT MAX({next_in}) FROM {table.name}), 0) + 1" if next_in else taken  # noqa: S608
    return {
        name: f"CREATE TRIGGER {name} BEFORE {verb} ON {table.name} {when}"
        f"BEGIN SELECT RAISE(ABORT, 'rows of {table.name} are never changed'); END"
        for name, verb, when in (
            (f"{table.name}_no_update", "UPDATE", ""),
            (f"{table.name}_no_delete", "DELETE", ""),
            (f"{table.name}_no_replace", "INSERT", f"WHEN {condition} "),
        )
    }


def sqlite_problems(connection: sa.Connection, guards: Mapping[str, Mapping[str, str]]) -> Iterable[str]:
    """Names of guards of existing tables that are missing or not as they were made.

    Parameters
    ----------
    guards
        What :func:`sqlite_guards` gave, by the name of the table.
    """
    query = "SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'trigger')"
    found = connection.exec_driver_sql(query).all()
    tables = {row.name for row in found if row.type == "table"}
    stored = {row.name: row.sql for row in found if row.type == "trigger"}
    for table, statements in guards.items():
        if table in tables:
            yield from (name for name, statement in statements.items() if stored.get(name) != statement)


def _key_is_taken(table: sa.Table) -> Iterator[str]:
    """A condition for each key of the table: a row that has it already."""
    keys = [rule for rule in table.constraints if isinstance(rule, sa.PrimaryKeyConstraint | sa.UniqueConstraint)]
    for names in sorted(tuple(column.name for column in key.columns) for key in keys):
        same = " AND ".join(f"{name} = NEW.{name}" for name in names)
        yield f"EXISTS (SELECT 1 FROM {table.name} WHERE {same})"  # noqa: S608 - names of our own tables
