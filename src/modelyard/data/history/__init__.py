"""Features of the past, as of each row's time: event tables, and lags and windows of a series; and how slowly columns moved.

Takes: rows, and tables of what happened before.
Gives: the rows with features of their past; the pace of a column in the order of time.
Never: lets a row know what was not known when its prediction was asked for.
"""

from typing import TYPE_CHECKING

from modelyard.core.doors import light_door

if TYPE_CHECKING:
    from modelyard.data.history.events import join_events
    from modelyard.data.history.joining import history_joiner, with_history
    from modelyard.data.history.series import join_series
else:
    __getattr__ = light_door(__name__)

__all__ = ["history_joiner", "join_events", "join_series", "with_history"]
