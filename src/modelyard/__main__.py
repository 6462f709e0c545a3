"""``python -m modelyard`` is the same as the ``modelyard`` command."""

from modelyard.cli.app import main

if __name__ == "__main__":
    main()
