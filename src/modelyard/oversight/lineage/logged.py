"""What the prediction log holds of a version, counted without reading rows that nobody asked for."""

import datetime as dt
from pathlib import Path

import polars as pl

from modelyard.oversight.lineage.records import Traffic
from modelyard.serving.prediction_log import read_feedback, scan_predictions
from modelyard.serving.roles import SHADOW

__all__ = ["traffic_of"]


def traffic_of(folder: Path, digest: str) -> Traffic:
    """Answers of the package with this digest, what it said in shadow, and labels of its answers."""
    mine = [part.filter(pl.col("digest") == digest) for part in scan_predictions(folder)]
    answers = shadows = 0
    moments: list[dt.datetime] = []
    ids: set[str] = set()
    for part in mine:
        found = part.select("id", "at", "role").collect()
        said = found.filter(pl.col("role").fill_null("") != SHADOW)
        answers, shadows = answers + said.height, shadows + found.height - said.height
        ids.update(said["id"])
        moments += [moment for moment in (said["at"].min(), said["at"].max()) if isinstance(moment, dt.datetime)]
    labels = read_feedback(folder)["id"].is_in(sorted(ids)).sum() if ids else 0
    return Traffic(answers, shadows, int(labels), min(moments, default=None), max(moments, default=None))
