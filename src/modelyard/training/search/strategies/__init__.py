"""Ways to search a space of parameters: Bayesian, at random, on a grid, by successive halving.

Takes: a space, and scores as they come.
Gives: the configurations that are worth trying next, and on how many of the rows.
Never: fits anything, or asks in another order because an answer came sooner.
"""

from modelyard.training.search.strategies.strategy import Ground, Strategy, Suggestion

__all__ = ["Ground", "Strategy", "Suggestion"]
