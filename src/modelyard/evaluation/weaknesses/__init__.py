"""Where and how the winner fails, found without being told where to look.

Takes: held-out rows with the winner's predictions, the development model, and training rows for comparison.
Gives: the worst mistakes and what they share, weak slices, and what small disturbances do to the predictions.
Never: looks at the test part, or says what held-out rows do not bear out.

The modules are imported by their full path: they load the training libraries, which this room does not before they are
needed.
"""

__all__: list[str] = []
