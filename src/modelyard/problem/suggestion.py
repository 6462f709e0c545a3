"""The nearest known word, for the cure of an error."""

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(got: str, known: Iterable[str]) -> str:
    """A cure that names the nearest known word, or all of them if none is near.

    >>> did_you_mean("targt", ["target", "time"])
    "Did you mean 'target'?"
    >>> did_you_mean("auc_roc", ["accuracy", "roc_auc"])
    "Did you mean 'roc_auc'?"
    """
    choices = sorted(known)
    near = [word for word in choices if sorted(word.split("_")) == sorted(got.split("_"))]
    near = near or difflib.get_close_matches(got, choices, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Choose one of: {', '.join(choices)}"
