"""What is known about an update."""

import dataclasses

from modelyard.core import Record

__all__ = ["Update"]


@dataclasses.dataclass(frozen=True)
class Update(Record):
    """From what a run went on, and whether training anew would have been better.

    Parameters
    ----------
    run_id
        The run whose final model was continued.
    version
        The version that serves it; 0 if none does.
    family
        Of the model.
    rows_known, rows_new
        Rows that it had learnt from, and those that it goes on with.
    rounds_before, rounds_added
        Of boosting; None for families that have none.
    gain, gain_error
        In the primary metric over the model as it was, on new rows held out in turn, with the standard error of the paired
        difference; positive if better.
    behind, behind_error
        The same of a full retraining over the update: what is given up for the time saved.
    update_s, retrain_s
        Seconds that one fit takes, updated and trained anew.
    """

    run_id: str
    version: int
    family: str
    rows_known: int
    rows_new: int
    rounds_before: int | None
    rounds_added: int | None
    gain: float
    gain_error: float
    behind: float
    behind_error: float
    update_s: float
    retrain_s: float

    @property
    def retraining_is_better(self) -> bool:
        """True if training anew is better by more than two standard errors."""
        return self.behind > 2 * self.behind_error
