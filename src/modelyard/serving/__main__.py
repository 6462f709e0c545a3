"""``python -m modelyard.serving``: serve one package from the command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from modelyard.core import ModelyardError
from modelyard.serving.server import serve
from modelyard.serving.settings import ServingSettings

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, serve until told to stop, and give the exit code (0, or that of the error)."""
    parser = argparse.ArgumentParser(prog="python -m modelyard.serving", description="Serve one package over HTTP.")
    parser.add_argument("--package", type=Path, required=True, help="folder of the package")
    parser.add_argument("--log", type=Path, required=True, help="folder of the prediction log")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port, 0 for a free one (default: %(default)s)")
    parser.add_argument("--max-body-bytes", type=int, default=16 << 20, help="larger bodies are refused")
    given = parser.parse_args(arguments)
    try:
        serve(
            ServingSettings(
                package_folder=given.package,
                log_folder=given.log,
                host=given.host,
                port=given.port,
                max_body_bytes=given.max_body_bytes,
            )
        )
    except ModelyardError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
