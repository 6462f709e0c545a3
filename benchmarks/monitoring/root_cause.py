"""The confusion matrix of the root cause on the simulator: python benchmarks/monitoring/root_cause.py [SEEDS [ROWS]].

Seven scenarios in two worlds of two classes (see ``tests/monitoring/causes/simulator.py``), one of three classes and one of a
number (``other_tasks.py`` there), SEEDS runs each, 30 by default, of
ROWS rows a day, 1,500 by default; fewer rows are harder. Prints verdicts
by scenario, the actions on broken pipelines, and how often verdicts of each confidence were right.
"""

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.monitoring.causes.other_tasks import OTHER_WORLDS, diagnosed_there
from tests.monitoring.causes.simulator import DAY_ROWS, EXPECTED, WORLDS, Scenario, diagnosed

from modelyard.monitoring import Diagnosis

BANDS = (0.0, 0.7, 0.8, 0.9, 0.95, 0.99)


def diagnoses(world: str, scenario: Scenario, seeds: int, rows: int) -> list[Diagnosis]:
    """One for each seed."""
    if world in WORLDS:
        return [diagnosed(WORLDS[world](), scenario, seed, rows) for seed in range(seeds)]
    return [diagnosed_there(OTHER_WORLDS[world](), scenario, seed, rows) for seed in range(seeds)]


def main(seeds: int, rows: int) -> None:
    """Run and print."""
    begun, right, runs = time.perf_counter(), 0, 0
    bands: dict[float, list[bool]] = {band: [] for band in BANDS}
    for world in (*WORLDS, *OTHER_WORLDS):
        print(f"\n{world}", flush=True)
        for scenario in Scenario:
            found = diagnoses(world, scenario, seeds, rows)
            verdicts = Counter(one.verdict.words for one in found)
            actions = Counter(one.action.words for one in found)
            print(f"  {scenario.value:22} {dict(verdicts)}   to do: {dict(actions)}")
            good = [one.verdict is EXPECTED[scenario] for one in found]
            print(f"    right: {sum(good)} of {seeds}", flush=True)
            right, runs = right + sum(good), runs + seeds
            for one, hit in zip(found, good, strict=True):
                if one.confidence is not None:
                    bands[max(band for band in BANDS if band <= one.confidence)].append(hit)
    print(f"\nright: {right:,} of {runs:,}, {right / runs:.1%}; {(time.perf_counter() - begun) / runs:.2f} s a run")
    for band, hits in bands.items():
        if hits:
            print(f"  confidence from {band:.2f}: {len(hits):4} verdicts, {sum(hits) / len(hits):.1%} right")


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:3]]
    main(*(asked + [30, DAY_ROWS][len(asked) :]))
