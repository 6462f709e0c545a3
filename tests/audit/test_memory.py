import json
import subprocess
import sys

PROGRAM = """
import json, resource
import numpy as np, polars as pl
from modelyard.audit import audit
from modelyard.data import Dataset, assign_roles, infer_schema
from modelyard.problem import Problem

rows, random = 800_000, np.random.default_rng(0)
frame = pl.DataFrame([pl.Series(f"x{n}", random.normal(size=rows)) for n in range(39)])
frame = frame.with_columns(y=pl.Series(random.integers(0, 2, rows)))
problem = Problem.model_validate({"task": "binary", "data": {"source": "t", "target": "y", "positive": "1"}})
schema = infer_schema(frame)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
loaded = peak()
report = audit(Dataset("t", frame, schema), problem, assign_roles(problem, schema), seed=0, quick=True)
print(json.dumps({"frame": frame.estimated_size(), "more": peak() - loaded, "checks": len(report.checks)}))
"""


def test_no_check_copies_the_table() -> None:
    """The peak of a quick audit stays within the size of the table itself, loaded once."""
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=240)
    cost = json.loads(said.stdout)

    assert cost["frame"] == 800_000 * 40 * 8
    assert cost["checks"] >= 25
    assert cost["more"] < cost["frame"], cost
