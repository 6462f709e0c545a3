"""What was gathered, and the first gates."""

import dataclasses

import polars as pl

from modelyard.data import Contract
from modelyard.retraining.gates import contract_gate, data_gate
from modelyard.retraining.gathering.contamination import Suspects, contamination_gate
from modelyard.retraining.records import GateResult

__all__ = ["Gathered"]


@dataclasses.dataclass(frozen=True)
class Gathered:
    """Labelled rows.

    Parameters
    ----------
    labelled
        How many there were.
    fresh
        Those that were not known before.
    note
        What else is to be said of them, in sentences; empty for nothing.
    suspects
        Labelled predictions that were left out; None if the prediction log was not asked.
    """

    labelled: int
    fresh: pl.DataFrame
    note: str = ""
    suspects: Suspects | None = None

    def judged(self, needed: int, contract: Contract) -> tuple[tuple[GateResult, ...], pl.DataFrame]:
        """The verdicts, up to the first no, and the rows that keep the contract."""
        verdicts = [data_gate(self.labelled, self.fresh.height, needed, self.note)]
        if verdicts[-1].passed and self.suspects is not None:
            verdicts.append(contamination_gate(self.suspects))
        if not verdicts[-1].passed:
            return tuple(verdicts), self.fresh.clear()
        broken = contract.check_frame(self.fresh).filter(pl.col("rejects"))["row"].unique()
        kept = self.fresh.with_row_index("__row").filter(~pl.col("__row").is_in(broken.implode())).drop("__row")
        return (*verdicts, contract_gate(contract, self.fresh)), kept
