"""Whether the winner is as good in each period of time as in the others, and whether it gets worse.

Takes: judged rows with a time column.
Gives: the primary metric by period with intervals, and a test of a trend.
Never: forecasts.
"""

from modelyard.evaluation.periods.findings import trend_findings
from modelyard.evaluation.periods.records import Period, Stability

__all__ = ["Period", "Stability", "trend_findings"]
