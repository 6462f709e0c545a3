"""The guards on PostgreSQL: two functions for all tables, and triggers that call them."""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

__all__ = ["postgresql_guards", "postgresql_problems"]

_REFUSE = "modelyard_never_changed"
_REFUSE_BODY = """
BEGIN
  RAISE EXCEPTION USING MESSAGE = 'rows of ' || TG_TABLE_NAME || ' are never changed', ERRCODE = '23000';
END
"""
_CHANGES = 2 + 8 + 16 + 32
"""Of ``pg_trigger.tgtype``: before, DELETE, UPDATE, TRUNCATE, once a statement."""

_ADDS = 1 + 2 + 4
"""Of ``pg_trigger.tgtype``: for each row, before, INSERT."""


def postgresql_guards(table: sa.Table, *, next_in: str = "") -> Sequence[str]:
    """The statements that guard a table, to be executed in order; parameters as of :func:`sqlite_guards`.

    A row that takes the place of another (ON CONFLICT DO UPDATE) is an UPDATE here; keys that are taken are refused by
    the keys themselves.
    """
    statements = [
        _function(_REFUSE, _REFUSE_BODY),
        (
            f"CREATE TRIGGER {table.name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table.name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {_REFUSE}()"
        ),
    ]
    if next_in:
        statements += [
            _function(_next_only(table.name), _next_body(table.name, next_in)),
            (
                f"CREATE TRIGGER {table.name}_next_only BEFORE INSERT ON {table.name} "
                f"FOR EACH ROW EXECUTE FUNCTION {_next_only(table.name)}()"
            ),
        ]
    return statements


def postgresql_problems(connection: sa.Connection, counted: Mapping[str, str]) -> Iterable[str]:
    """Names of guards of existing tables that are missing, disabled or not as they were made.

    Parameters
    ----------
    counted
        The guarded tables, with the column that counts without gaps, or ``""``.
    """
    query = sa.text(
        "SELECT c.relname AS place, t.tgname AS name, t.tgtype AS kind, t.tgenabled AS enabled, p.proname AS calls, "
        "p.prosrc AS body, t.tgqual IS NULL AND t.tgattr::text = '' AS always "
        "FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal "
        "LEFT JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE c.relkind = 'r' AND c.relname = ANY(:names) AND pg_table_is_visible(c.oid)"
    )
    rows = connection.execute(query, {"names": list(counted)}).all()
    there = {row.place for row in rows}
    found = {row.name: (row.kind, row.calls, row.body) for row in rows if row.always and row.enabled in ("O", "A")}
    for table, column in counted.items():
        if table not in there:
            continue
        if found.get(f"{table}_append_only") != (_CHANGES, _REFUSE, _REFUSE_BODY):
            yield f"{table}_append_only"
        if column and found.get(f"{table}_next_only") != (_ADDS, _next_only(table), _next_body(table, column)):
            yield f"{table}_next_only"


def _function(name: str, body: str) -> str:
    return f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $modelyard${body}$modelyard$"


def _next_only(table: str) -> str:
    return f"modelyard_next_of_{table}"


def _next_body(table: str, column: str) -> str:
    return f"""
BEGIN
  IF NEW.{column} <> COALESCE((SELECT MAX({column}) FROM {table}), 0) + 1 THEN
    RAISE EXCEPTION USING MESSAGE = 'rows of {table} are never changed', ERRCODE = '23000';
  END IF;
  RETURN NEW;
END
"""  # noqa: S608 - names of our own tables
