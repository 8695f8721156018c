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
        from mirascope.core._installation import install_command

        command = install_command("mirascope-core[cli]")
        sys.exit(f"mirascope: the command line is an extra: {command}")
    except KeyboardInterrupt:
        sys.exit(130)
    run_command_line()


if __name__ == "__main__":
    main()
