"""What a judgement of drift costs before it begins."""

import subprocess
import sys


def test_a_drift_test_loads_what_it_needs() -> None:
    """A process that counts a window and tests it starts without statistics by the hundred, data bases, schemas and pandas."""
    heavy = ["scipy.stats", "sqlalchemy", "pydantic", "pandas", "pyarrow", "sklearn"]
    code = (
        "import sys; from modelyard.data.profile import count_bins; from modelyard.monitoring import drift_test; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
