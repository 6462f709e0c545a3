"""The demo: the whole life of a model, played on churn data that ship with the package.

Takes: a folder.
Gives: a project in it that was trained, evaluated, approved, served, watched and retrained.
Never: fakes a step; what it tells is what the verbs returned.
"""

from modelyard.demo.population import Population, make_population
from modelyard.demo.records import DemoOutcome

__all__ = ["DemoOutcome", "Population", "make_population"]
