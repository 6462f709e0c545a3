"""A split cut or weighted by a window; and the way back to the whole of it."""

import dataclasses

import numpy as np
import polars as pl

from modelyard.core import ConfigError, DataError, digest_json
from modelyard.data import Dataset, Schema, Split, load_split
from modelyard.data.schema import infer_column
from modelyard.data.splits.stored import is_stored, store_parts
from modelyard.problem import Problem
from modelyard.retraining.windows.ages import ages, kept, weights
from modelyard.retraining.windows.recipe import WEIGHT, with_weight
from modelyard.retraining.windows.records import WindowChoice, WindowedSplit, WindowKind, WindowPolicy
from modelyard.store import Workspace, load_record, save_record

__all__ = ["apply", "whole_id", "windowed", "without_window"]

_ID_LENGTH = 12
_FEWEST_ROWS = 50
_FILE = "window"


def apply(choice: WindowChoice, split: Split, time: str | None, weight: str | None = None) -> Split:
    """The split with its training part cut, or with a column of weights; validation and test stay whole.

    Parameters
    ----------
    time
        The column that orders rows; None if there is none, and then only an expanding window can be applied.
    weight
        The column that ``data.weight`` names; forgetting is multiplied with it.

    Raises
    ------
    ConfigError
        If the window needs a time column and there is none, or no dates.
    DataError
        If too few rows would be left to learn from.
    """
    policy = choice.policy
    if not choice.cuts:
        return split
    if time is None:
        raise ConfigError(
            "a window on the past needs a time column",
            where="retraining.window",
            got=policy.words,
            cure="Name one under data.time, or write window: expanding",
        )
    cut = _slid(split, policy, time) if policy.kind is WindowKind.SLIDING else _faded(split, policy, time, weight)
    id_ = digest_json({"split": split.record.id, "window": policy.to_dict()})[:_ID_LENGTH]
    reason = f"{split.record.reason} Of the training rows: {policy.words}."
    record = dataclasses.replace(split.record, id=id_, train_rows=cut.train.frame.height, reason=reason)
    return dataclasses.replace(cut, record=record)


def windowed(choice: WindowChoice, split: Split, problem: Problem, workspace: Workspace) -> tuple[Split, Problem]:
    """As :func:`apply`, kept in the workspace under an id of its own; and the problem with the column of weights."""
    cut = apply(choice, split, problem.data.time, problem.data.weight)
    if cut.record.id == split.record.id:
        return split, problem
    if not is_stored(cut.record.id, workspace):
        # First, whence it comes: a split counts from its own record on, which is written last.
        save_record(workspace.folder("splits", cut.record.id), _FILE, WindowedSplit(split.record.id, choice.policy))
        store_parts(cut.record, cut.train.frame, cut.validation.frame, cut.train.schema, workspace)
    stored = load_split(cut.record.id, workspace)
    return dataclasses.replace(stored, test=split.test), _weighted(problem, choice.policy)


def whole_id(id: str, workspace: Workspace) -> str:  # noqa: A002 - the field's name
    """The id of the split that a window was put on; the split's own if there was none."""
    folder = workspace.folder("splits", id)
    if not (folder / f"{_FILE}.json").exists():
        return id
    return load_record(WindowedSplit, folder, _FILE, cure="Restore it from a backup").whole


def without_window(split: Split, workspace: Workspace) -> Split:
    """The split before a window was put on it: what one retraining leaves out, the next may learn from."""
    whole = whole_id(split.record.id, workspace)
    return split if whole == split.record.id else load_split(whole, workspace)


def _weighted(problem: Problem, policy: WindowPolicy) -> Problem:
    if policy.kind is not WindowKind.WEIGHTED:
        return problem
    return problem.model_copy(update={"data": problem.data.model_copy(update={"weight": WEIGHT})})


def _slid(split: Split, policy: WindowPolicy, time: str) -> Split:
    """The training rows that are young enough."""
    train = split.train
    mask = kept(ages(train.frame[time], policy), policy)
    if mask.sum() < _FEWEST_ROWS:
        raise DataError(
            "the window leaves too few rows to learn from",
            where="retraining.window",
            got=f"{int(mask.sum()):,} of {len(mask):,} training rows in {policy.words}",
            cure="Write a longer window, or auto",
        )
    return dataclasses.replace(split, train=Dataset(train.version_id, train.frame.filter(mask), train.schema))


def _faded(split: Split, policy: WindowPolicy, time: str, weight: str | None) -> Split:
    """Both parts with their weights, counted from the last row of all."""
    together = split.development.frame
    age = ages(together[time], policy)
    forgotten = weights(age, policy)
    rows = with_weight(together, np.ones(len(age)) if forgotten is None else forgotten, weight)
    schema = Schema((*split.train.schema.columns, infer_column(rows[WEIGHT], "numeric")))
    height = split.train.frame.height
    parts: list[pl.DataFrame] = [rows[:height], rows[height:]]
    train, validation = (Dataset(split.train.version_id, part, schema) for part in parts)
    return dataclasses.replace(split, train=train, validation=validation)
