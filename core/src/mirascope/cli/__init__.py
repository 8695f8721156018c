"""The command line: `mirascope run`, `mirascope providers`, `mirascope replay`.

Importing it loads no provider and no SDK, and neither does `mirascope --help`: each command
imports what it needs when it runs.
"""

from ._app import app, run_command_line

__all__ = ["app", "run_command_line"]
