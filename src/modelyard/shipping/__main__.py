"""``python -m modelyard.shipping``: the rehearsal of one package, as images run it."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from modelyard.core import ModelyardError
from modelyard.shipping.rehearsal import rehearse

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, rehearse, print the record as one line of JSON, and give the exit code (0, or that of the error)."""
    parser = argparse.ArgumentParser(prog="python -m modelyard.shipping", description="Try a package out over HTTP.")
    parser.add_argument("package", type=Path, help="folder of the package")
    parser.add_argument("--digest", default="", help="the digest that it must have")
    given = parser.parse_args(arguments)
    try:
        report = rehearse(given.package, given.digest)
    except ModelyardError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return error.exit_code
    sys.stdout.write(json.dumps(report.to_dict()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
