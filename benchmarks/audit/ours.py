"""One audit of modelyard in this process: `ours.py TABLE PAGE quick|full TARGET`.

Every row of the table is taken for the training part, so that the same rows are looked at as by the peers. HTML,
Markdown and JSON are written. Prints, as JSON, peak memory (bytes) when the table was loaded and at the end.
"""

import json
import resource
import sys
from pathlib import Path

import polars as pl

from modelyard.audit import audit, save_audit
from modelyard.data import Dataset, assign_roles, infer_schema, resolve
from modelyard.problem import Problem


def peak() -> int:
    """Most memory that was resident so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


table, page, depth, target = sys.argv[1:]
frame = pl.read_parquet(table)
problem = resolve(Problem.model_validate({"name": "bench", "data": {"source": table, "target": target}}), frame)
train = Dataset("bench", frame, infer_schema(frame))
loaded = peak()
report = audit(train, problem, assign_roles(problem, train.schema), seed=0, quick=depth == "quick")
save_audit(report, problem, Path(page).parent)
print(json.dumps({"loaded": loaded, "peak": peak(), "frame": frame.estimated_size(), "findings": len(report.findings)}))
