"""Rows of the ledger as they are within a transaction or a reading: what was done to a version is told there alone."""

import sqlalchemy as sa

from modelyard.store import LedgerRow
from modelyard.store.chain import read_row
from modelyard.store.tables import ledger_table

__all__ = ["told"]


def told(connection: sa.Connection, *actions: str, subject: str | None = None) -> tuple[LedgerRow, ...]:
    """Rows with one of these actions, in order; only those about ``subject``, where given."""
    query = sa.select(ledger_table).where(ledger_table.c.action.in_(actions)).order_by(ledger_table.c.sequence)
    if subject is not None:
        query = query.where(ledger_table.c.subject == subject)
    rows = connection.execute(query).mappings().all()
    return tuple(read_row({str(key): value for key, value in row.items()}) for row in rows)
