"""One TableReport of skrub in this process: `peer_skrub.py TABLE PAGE`."""

import sys

import pandas as pd
from skrub import TableReport

TableReport(pd.read_parquet(sys.argv[1]), verbose=0).write_html(sys.argv[2])
