"""Tables as request bodies: Arrow IPC and Parquet, for many rows at once.

Takes: the bytes of a body, its content type, and what the caller accepts.
Gives: checked and scored rows on record, as a table in the form that was asked for.
Never: unpacks more than was allowed, believes a size that it has not added up, or lets malformed bytes be a 5xx.
"""

from typing import TYPE_CHECKING

from modelyard.core.doors import light_door

if TYPE_CHECKING:
    from modelyard.serving.tables.forms import TableForm, TableLimits, table_forms
    from modelyard.serving.tables.reading import read_body
    from modelyard.serving.tables.scoring import TableAnswering
    from modelyard.serving.tables.writing import answer_frame, write_body
else:
    __getattr__ = light_door(__name__)

__all__ = [
    "TableAnswering",
    "TableForm",
    "TableLimits",
    "answer_frame",
    "read_body",
    "table_forms",
    "write_body",
]
