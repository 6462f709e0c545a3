"""Tests that travel with a package.

Takes: a contract and a scoring plan.
Gives: plain pytest files for the package's folder ``tests``: ``pytest PACKAGE/tests`` runs them wherever modelyard scores.
Never: asks for a library that trains, or writes into the package when they run.
"""

from modelyard.packaging.suite.write import history_suite_files, suite_files

__all__ = ["history_suite_files", "suite_files"]
