"""One report of fg-data-profiling in this process: `peer_profiling.py TABLE PAGE minimal|default`."""

import sys

import pandas as pd
from data_profiling import ProfileReport

frame = pd.read_parquet(sys.argv[1])
ProfileReport(frame, minimal=sys.argv[3] == "minimal", progress_bar=False).to_file(sys.argv[2])
