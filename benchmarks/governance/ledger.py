"""How long a ledger of a million rows takes to be verified and exported, and what memory it needs.

python benchmarks/governance/ledger.py [ROWS]
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

from modelyard.core.actor import Actor, ActorSource
from modelyard.store import Ledger

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
AT_ONCE = 100_000
ADA = Actor("ada", ActorSource.OS_USER, ("admin",))


def main() -> None:
    """Fill, verify, export; prints seconds and megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(Path(folder) / "ledger.db")
        begun = time.perf_counter()
        for first in range(0, ROWS, AT_ONCE):
            with ledger.transaction() as transaction:
                for number in range(first, min(first + AT_ONCE, ROWS)):
                    details = {"digest": f"{number:064x}", "reason": "figures and card read", "before": number - 1}
                    transaction.append(ADA, "version.noted", f"churn/{number}", details)
        print(f"rows            {ROWS:,}")
        print(f"filled in       {time.perf_counter() - begun:.1f} s ({AT_ONCE:,} rows a transaction)")
        before = _megabytes()
        begun, cpu = time.perf_counter(), time.process_time()
        verification = ledger.verify()
        print(
            f"verified in     {time.perf_counter() - begun:.1f} s ({time.process_time() - cpu:.1f} s of one core), {verification.ok}"
        )
        begun = time.perf_counter()
        ledger.export(Path(folder) / "ledger.jsonl")
        print(f"exported in     {time.perf_counter() - begun:.1f} s")
        print(f"memory          {_megabytes():.0f} MB, {before:.0f} MB before")


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
