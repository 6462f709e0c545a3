"""Routing: while a version is rolled out, which variant answers, what each of them does, and what follows from it.

Takes: the rollout under way, the candidate's package, requests as they come.
Gives: answers of variants with their roles, comparisons in shadow, and figures to the guards that decide.
Never: lets a request be lost to a new version, or an answer wait for a shadow.
"""

from modelyard.serving.routing.conductor import Conductor
from modelyard.serving.routing.exposition import routing_lines
from modelyard.serving.routing.router import Router, Routing
from modelyard.serving.routing.source import RegistryRollouts, RolloutSource

__all__ = ["Conductor", "RegistryRollouts", "RolloutSource", "Router", "Routing", "routing_lines"]
