"""`python -m mirascope` and the `mirascope` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from mirascope.cli import run_command_line
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit('mirascope: the command line is an extra: pip install "mirascope-core[cli]"')
    except KeyboardInterrupt:
        sys.exit(130)
    run_command_line()


if __name__ == "__main__":
    main()
