"""Sources that move under the reader's hands: a file that another process is still writing."""

import subprocess
import sys
import time

import polars as pl
from tests.bad_input.conftest import FaultyYard

WRITER = """
import os, sys
with open(sys.argv[1], "ab", buffering=0) as file:
    line = open(sys.argv[1], "rb").read().splitlines(keepends=True)[1]
    print("writing", flush=True)
    while True:
        os.write(file.fileno(), line)
"""


def test_a_file_that_is_still_being_written(yard: FaultyYard, good: pl.DataFrame) -> None:
    """While another process appends whole lines, no command takes a half for the whole; afterwards it is read."""
    path = yard.folder / "growing.csv"
    pl.concat([good] * 50).write_csv(path)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        sentence = yard.refused_new(path)
    finally:
        writer.kill()
        writer.communicate(timeout=10)

    assert "the source changed while it was read" in sentence
    time.sleep(0.05)
    pl.concat([good] * 2).write_csv(path)
    assert yard.new(path, "target").exit_code == 0
