"""What was gathered, and the first two gates."""

import dataclasses

import polars as pl

from modelyard.data import Contract
from modelyard.retraining.gates import contract_gate, data_gate
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
    """

    labelled: int
    fresh: pl.DataFrame

    def judged(self, needed: int, contract: Contract) -> tuple[tuple[GateResult, ...], pl.DataFrame]:
        """The verdicts, up to the first no, and the rows that keep the contract."""
        enough = data_gate(self.labelled, self.fresh.height, needed)
        if not enough.passed:
            return (enough,), self.fresh.clear()
        broken = contract.check_frame(self.fresh).filter(pl.col("rejects"))["row"].unique()
        kept = self.fresh.with_row_index("__row").filter(~pl.col("__row").is_in(broken.implode())).drop("__row")
        return (enough, contract_gate(contract, self.fresh)), kept
