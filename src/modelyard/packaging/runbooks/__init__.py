"""Runbooks: a page for each kind of alert, carried by the package that the alert is about.

Takes: the project file.
Gives: Markdown pages with this model's owner, thresholds and commands.
Never: tells to retrain before the cause is known.
"""

from modelyard.packaging.runbooks.pages import runbook_files, runbook_name, runbook_text

__all__ = ["runbook_files", "runbook_name", "runbook_text"]
