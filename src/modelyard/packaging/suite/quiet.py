"""A plugin for pytest that the tests of a package name in their ``pytest.ini``: running them leaves no file behind.

Byte code beside the tests would be a file that the manifest does not name, and the package would be refused.
"""

import sys

__all__: list[str] = []

sys.dont_write_bytecode = True
