"""Parts of the rows: nested, the same for everybody, and divided as the folds are."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from modelyard.data import infer_schema
from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.curves.subsets import fewest_rows
from modelyard.training.folds import FoldPlan, RowKeys, plan_folds
from modelyard.training.model import Learning
from modelyard.training.search import FoldMatrices
from modelyard.training.search.matrices import load_training

ROWS = 360
Rows = npt.NDArray[np.int64]


def written(folder: Path, strategy: str, share: float) -> tuple[FoldPlan, RowKeys, list[Rows]]:
    """The folds of a table with a rare class, and which rows of each a part has, by their positions in the table."""
    generator = np.random.default_rng(0)
    truth = (generator.random(ROWS) < 0.15).astype(np.float64)
    keys = {"stratified": np.empty(0, dtype=np.int64), "group": np.arange(ROWS) // 4, "time": np.arange(ROWS)}[strategy]
    row_keys = RowKeys(strategy, truth.astype(np.int64), keys)
    plan = plan_folds(row_keys, 3, 0)
    frame = pl.DataFrame({"place": np.arange(ROWS, dtype=np.float64)})
    learning = Learning(infer_schema(frame, {"place": "numeric"}).columns, None, Task.BINARY, ("no", "yes"))
    matrices = FoldMatrices(folder, frame, learning)
    matrices.write_folds(plan, row_keys, truth, 0)
    matrices.require(EncodingStyle.TREE)
    part = matrices.require_part(share)
    loaded = [load_training(folder, fold, EncodingStyle.TREE, Task.BINARY, part)[0] for fold in range(len(plan.folds))]
    return plan, row_keys, [data.matrix[:, 0].astype(np.int64) for data in loaded]


@pytest.mark.parametrize("strategy", ["stratified", "group", "time"])
def test_parts_are_nested_and_divided_as_the_folds_are(tmp_path: Path, strategy: str) -> None:
    """A ninth lies within a third, both within the fold; classes in their shares, groups whole, in time the latest."""
    plan, keys, few = written(tmp_path / "few", strategy, 1 / 9)
    _, _, more = written(tmp_path / "more", strategy, 1 / 3)

    for fold, ninth, third in zip(plan.folds, few, more, strict=True):
        assert set(ninth) < set(third) < set(fold.train)
        assert len(third) == pytest.approx(len(fold.train) / 3, abs=4)
        if strategy == "stratified":
            assert keys.classes[third].mean() == pytest.approx(keys.classes[fold.train].mean(), abs=0.02)
        elif strategy == "group":
            whole = np.bincount(keys.keys)
            assert all(count == whole[group] for group, count in enumerate(np.bincount(keys.keys[third])) if count)
        else:
            assert third.min() > np.setdiff1d(fold.train, third).max()


def test_the_smallest_fold_and_its_rarest_class_bound_the_ladder(tmp_path: Path) -> None:
    """Walking forward, the first fold learns from a quarter of the rows."""
    plan, keys, _ = written(tmp_path, "time", 1 / 3)
    rows, rarest = fewest_rows(plan, keys)

    assert rows == len(plan.folds[0].train) == ROWS // 4
    assert rarest == keys.classes[plan.folds[0].train].sum()
