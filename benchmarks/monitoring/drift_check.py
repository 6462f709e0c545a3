"""One tool's check for drift, in an environment of its own: ours, Evidently's or NannyML's, each at its defaults.

    python drift_check.py TOOL check REFERENCE.parquet CURRENT.parquet
    python drift_check.py modelyard profile REFERENCE.parquet PROFILE.json
    python drift_check.py modelyard table ROWS SEED TABLE.parquet
    python drift_check.py TOOL runs WORLD ROWS RUNS

The first prints how many columns alarm; ours takes a PROFILE.json for the reference as well. The last makes RUNS references and windows of ROWS rows with 50 columns, of which
nothing changed (``clean``), the first moved by 0.3 sd (``shift``), or every day differs by 0.1 sd, as it always did (``days``);
it prints, as JSON, how many runs had any alarm, how many columns alarmed, and in how many runs the first did.

Imports nothing of ours, or of a peer, unless asked for it.
"""

import json
import logging
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Frame = Any
"""Pandas' table: pandas is imported where one is made, since ours needs none."""

Check = Callable[[Frame, Frame], Mapping[str, bool]]

NUMBERS, CATEGORIES = 40, 10
WORDS = np.array(["basic", "plus", "gold", "none", "other"])
TIMES = 10
"""Rows of the reference for one of the window: NannyML's chunks are ten parts of it."""

DAYS, DAY_EFFECT, SHIFT = 40, 0.1, 0.3


def table(generator: np.random.Generator, rows: int, means: Any = 0.0) -> Frame:
    """Independent normal numbers with these means, and words that are equally likely."""
    import pandas as pd

    numbers = generator.normal(size=(rows, NUMBERS)) + means
    words = WORDS[generator.integers(0, len(WORDS), (rows, CATEGORIES))]
    columns = {f"n{place}": numbers[:, place] for place in range(NUMBERS)}
    return pd.DataFrame(columns | {f"c{place}": words[:, place] for place in range(CATEGORIES)})


def drawn(world: str, rows: int, seed: int) -> tuple[Frame, Frame]:
    """A reference, in the order of time, and a window."""
    generator = np.random.default_rng([seed, rows])
    if world == "days":
        effects = generator.normal(0, DAY_EFFECT, (DAYS + 1, NUMBERS))
        return table(generator, DAYS * rows, np.repeat(effects[:DAYS], rows, axis=0)), table(
            generator, rows, effects[DAYS]
        )
    moved = np.zeros(NUMBERS)
    moved[0] = SHIFT if world == "shift" else 0.0
    return table(generator, TIMES * rows), table(generator, rows, moved)


def profiled(reference: Any) -> Any:
    """The frozen bins of a reference, as a package carries them."""
    import polars as pl

    from modelyard.data.profile import build_profile
    from modelyard.data.schema import Column, ColumnKind

    kinds = {n: ColumnKind.NUMERIC if t.is_numeric() else ColumnKind.CATEGORY for n, t in reference.schema.items()}
    columns = [Column(name, kind, str(reference[name].dtype), nullable=True) for name, kind in kinds.items()]
    return build_profile(reference, columns, time=pl.Series(np.arange(reference.height)))


def judged(profile: Any, window: Any) -> Mapping[str, bool]:
    """Counts of the window over these bins, and the test that modelyard monitors by."""
    from modelyard.data.profile import count_bins
    from modelyard.monitoring.drift import drift_test

    tests = (
        drift_test(one, count_bins(one, window[one.name]), false_alarm_rate=0.01, features=len(profile.features))
        for one in profile.features
    )
    return {test.feature: test.alarm for test in tests}


def ours(reference: Frame, window: Frame) -> Mapping[str, bool]:
    """As when a package is built, and when its log is monitored."""
    import polars as pl

    return judged(profiled(pl.from_pandas(reference)), pl.from_pandas(window))


def our_check(reference: str, window: str) -> Mapping[str, bool]:
    """From files; a profile that was stored takes the place of the reference."""
    import polars as pl

    from modelyard.data.profile import ReferenceProfile

    if reference.endswith(".json"):
        profile = ReferenceProfile.from_dict(json.loads(Path(reference).read_text(encoding="utf-8")))
    else:
        profile = profiled(pl.read_parquet(reference))
    return judged(profile, pl.read_parquet(window))


def peer_check(tool: Check, reference: str, window: str) -> Mapping[str, bool]:
    """From files, by way of the frames that the peers take."""
    import pandas as pd

    return tool(pd.read_parquet(reference), pd.read_parquet(window))


def evidently(reference: Frame, window: Frame) -> Mapping[str, bool]:
    """The preset for drift; a column's threshold is a p-value's or a distance's, as its method is."""
    from evidently import Report
    from evidently.presets import DataDriftPreset

    found = {}
    for metric in Report([DataDriftPreset()]).run(window, reference).dict()["metrics"]:
        settings = metric["config"]
        if "column" in settings:
            value, threshold = float(metric["value"]), settings["threshold"]
            is_p = "p_value" in settings["method"]
            found[settings["column"]] = value < threshold if is_p else value >= threshold
    return found


def nannyml(reference: Frame, window: Frame) -> Mapping[str, bool]:
    """The univariate calculator; the window is one chunk where the reference holds ten of its size, else ten chunks."""
    import nannyml as nml

    names = list(reference.columns)
    size = len(window) if len(reference) >= TIMES * len(window) else None
    calculator = nml.UnivariateDriftCalculator(column_names=names, chunk_size=size).fit(reference)
    results = calculator.calculate(window).filter(period="analysis").to_df()
    alerts = {name: results[name].xs("alert", axis=1, level=-1).to_numpy() for name in names}
    return {name: bool(alert.any()) for name, alert in alerts.items()}


TOOLS: Mapping[str, Check] = {
    "modelyard": ours,
    "evidently": evidently,
    "nannyml": nannyml,
}


def main(tool: str, what: str, *words: str) -> None:
    """Check, or run, and print."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    alarms = TOOLS[tool]
    if what == "table":
        table(np.random.default_rng(int(words[1])), int(words[0])).to_parquet(words[2])
        return
    if what == "profile":
        import polars as pl

        Path(words[1]).write_text(json.dumps(profiled(pl.read_parquet(words[0])).to_dict()), encoding="utf-8")
        return
    if what == "check":
        found = our_check(*words) if tool == "modelyard" else peer_check(alarms, *words)
        print(json.dumps({"alarms": sum(found.values())}))
        return
    world, rows, runs = words[0], int(words[1]), int(words[2])
    runs_found = [alarms(*drawn(world, rows, seed)) for seed in range(runs)]
    print(
        json.dumps(
            {
                "any": sum(any(one.values()) for one in runs_found),
                "columns": sum(sum(one.values()) for one in runs_found),
                "first": sum(one["n0"] for one in runs_found),
                "runs": runs,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
