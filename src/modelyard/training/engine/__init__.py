"""Training from end to end: the plan, the search, the choice, and the winner fitted twice.

Takes: a split, a problem, a workspace.
Gives: the stored run.
Never: knows what a family, an encoding or a rule of choice does; it calls the rooms in their order.
"""

from modelyard.training.engine.verbs import repeat, train

__all__ = ["repeat", "train"]
