"""The form of the tables, and how a store that an earlier release made comes to it.

Takes: a connection to a store of any age.
Gives: the revision of its tables; steps that bring it to the newest one, by Alembic.
Never: changes a row, or a store that a later release has made.
"""

from modelyard.store.schema.revision import FOREIGN, HEAD, require_known, revision_of, stamp
from modelyard.store.schema.upgrade import upgrade

__all__ = ["FOREIGN", "HEAD", "require_known", "revision_of", "stamp", "upgrade"]
