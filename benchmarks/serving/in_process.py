"""One row in process, by family: dict in, contract checked, label out; and a batch beside the booster called directly.

    python benchmarks/serving/in_process.py

Medians of microseconds over 500 different rows of adult_census, the best of several passes, one thread. The batch is
100,000 rows as a table; the booster alone gets them encoded, and the pipeline's share is what is left.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from models import ROOT, package_of, rows_within, table

from modelyard.features import encode_frame
from modelyard.packaging import Scorer

FAMILIES = {"lightgbm": 40, "xgboost": 60, "catboost": 60, "random_forest": 60, "linear": 15}
"""What is to be reached, in microseconds."""

BATCH = 100_000
PASSES = 9


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=list(FAMILIES))
    given = parser.parse_args()
    scorers = {name: Scorer.load(package_of(name, ROOT / ".cache" / "bench" / "serving")) for name in given.families}
    print("| family | check µs | encode µs | predict µs | row in, label out: p50 µs | p99 µs | aim µs |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, scorer in scorers.items():
        print(_row_line(name, scorer))
    print("\n| family | 100,000 rows, s | the model alone, s | ratio |\n|---|---:|---:|---:|")
    frame = table(48_842).sample(BATCH, seed=0, with_replacement=True)
    for name, scorer in scorers.items():
        matrix = encode_frame(scorer.plan.encodings, frame)
        whole = _best(lambda s=scorer: s.score_frame(frame))
        alone = _best(lambda s=scorer, m=matrix: s._predictor.predict_matrix(m))  # noqa: SLF001 - what is measured
        print(f"| {name} | {whole:.3f} | {alone:.3f} | {whole / alone:.2f} |")


def _row_line(name: str, scorer: Scorer) -> str:
    """The parts of a row's way, and all of it."""
    rows = rows_within(package_of(name, ROOT / ".cache" / "bench" / "serving"))
    encode, predict = scorer._encode, scorer._predictor.predict_row  # noqa: SLF001 - what is measured
    features = [encode(row) for row in rows]

    def whole(row: Any) -> object:
        return scorer.contract.check_row(row), scorer.decide_row(scorer.score_each((row,))[0])

    parts = [_per_item(call, some) for call, some in ((scorer.contract.check_row, rows), (encode, rows))]
    parts.append(_per_item(predict, features))
    p50, p99 = _quantiles(whole, rows)
    figures = " | ".join(f"{value:.1f}" for value in (*parts, p50, p99))
    return f"| {name} | {figures} | {FAMILIES[name]} |"


def _per_item(call: Callable[[Any], object], items: Sequence[Any]) -> float:
    """Microseconds of one call, from the best pass."""
    passes = []
    for _ in range(PASSES):
        started = time.perf_counter()
        for item in items:
            call(item)
        passes.append(time.perf_counter() - started)
    return 1e6 * min(passes) / len(items)


def _quantiles(call: Callable[[Any], object], items: Sequence[Any]) -> tuple[float, float]:
    """Median and 99th percentile of single calls, in microseconds."""
    spent = []
    for _ in range(PASSES):
        for item in items:
            started = time.perf_counter()
            call(item)
            spent.append(time.perf_counter() - started)
    ordered = sorted(spent)
    return 1e6 * statistics.median(ordered), 1e6 * ordered[int(0.99 * len(ordered))]


def _best(call: Callable[[], object], rounds: int = 5) -> float:
    """Seconds of the best of some rounds."""
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
    return min(found)


if __name__ == "__main__":
    main()
