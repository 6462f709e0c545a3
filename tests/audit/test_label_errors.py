import csv
import io
from collections.abc import Callable

import numpy as np
import polars as pl

from modelyard.audit import AuditReport, label_review
from modelyard.data import Dataset, infer_schema, row_digests
from modelyard.problem import Problem


def test_wrong_labels_are_ranked_for_review(audited: Callable[..., AuditReport]) -> None:
    """Of fifty flipped labels among two thousand clear ones most are on the list, and most of the list is flipped."""
    random = np.random.default_rng(0)
    truth = random.random(2_000) < 0.5
    flipped = random.choice(2_000, 50, replace=False)
    given = truth.copy()
    given[flipped] = ~given[flipped]
    parts = {f"s{n}": truth * 2.5 + random.normal(size=2_000) for n in range(5)}
    frame = pl.DataFrame({"key": [f"k{n}" for n in range(2_000)], **parts, "y": np.where(given, "yes", "no")})
    report = audited(frame, id="key")

    found = {suspect.position for suspect in report.label_suspects}
    assert len(found & set(flipped.tolist())) >= 40
    assert len(found - set(flipped.tolist())) <= 10
    train = Dataset("table", frame, infer_schema(frame))
    problem = Problem.model_validate({"data": {"source": "table", "target": "y", "id": "key"}})
    sheet = label_review(report, train, problem)
    first, second = list(csv.DictReader(io.StringIO(sheet)))[:2]
    assert first["key"] == f"k{first['position']}"
    assert {first["given"], first["suggested"]} == {"yes", "no"}
    assert (first["reviewed_label"], first["column"]) == ("", "y")
    assert first["digest"] == row_digests(frame[[int(first["position"])]])[0]
    left = label_review(report, train, problem, {(first["key"], first["digest"], "y")})
    assert next(csv.DictReader(io.StringIO(left))) == second
