"""How the full audit grows: 1, 3 and 10 million rows of 10 columns, and the memory of 3 million rows of 30 columns.

Run::

python benchmarks/audit/growth.py

"""

import json
import sys
from pathlib import Path

from processes import measured
from tables import ROOT, TARGETS, table

TABLES = ("1000000x10", "3000000x10", "10000000x10", "3000000x30")


def main() -> None:
    """One table in Markdown."""
    print("| table | wall s | processor s | frame MB | peak MB when loaded | peak MB | findings |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in sys.argv[1:] or TABLES:
        path = table(name, ROOT / ".cache" / "bench" / "tables")
        cost = measured(Path(sys.executable), "ours.py", str(path), "PAGE", "full", TARGETS["adult_census"])
        said = json.loads(cost.said)
        memory = " | ".join(f"{said[key] / 1e6:,.0f}" for key in ("frame", "loaded", "peak"))
        print(f"| {name} | {cost.wall_s:.1f} | {cost.processor_s:.1f} | {memory} | {said['findings']} |", flush=True)


if __name__ == "__main__":
    main()
