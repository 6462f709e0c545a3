"""Monitoring handed to Prometheus and Grafana.

Takes: the project file, monitoring reports, open alerts.
Gives: figures in Prometheus' text format, recording and alert rules, a Grafana board, all for one model.
Never: names a metric that nobody exposes, or a label without bounds.
"""

from modelyard.monitoring.exporting.board import board
from modelyard.monitoring.exporting.exposition import monitoring_text
from modelyard.monitoring.exporting.rules import rule_file

__all__ = ["board", "monitoring_text", "rule_file"]
