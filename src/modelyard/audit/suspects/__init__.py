"""Suspects: single values that are probably wrong, and the sheets on which people decide about them.

Takes: held-out predictions, an audit's report, the training part.
Gives: distances of numbers from what is expected of them; sheets for review.
Never: decides.
"""

__all__: list[str] = []
