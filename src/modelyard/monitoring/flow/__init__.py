"""The stream of answers itself: how many come, how fast, and how many fail.

Takes: the rows of a log with their moments, and the judged windows.
Gives: volume by period, latency and errors by window, and findings where they leave what is usual.
Never: judges a period that is not over, or holds a window against itself.
"""

from modelyard.monitoring.flow.service import ServiceWindow, service_findings, service_windows
from modelyard.monitoring.flow.volume import Volume, volume_findings, volumes

__all__ = ["ServiceWindow", "Volume", "service_findings", "service_windows", "volume_findings", "volumes"]
