"""How much of a module its author has to write."""

from __future__ import annotations

import ast


def lines_of(code: str) -> int:
    """Return how many lines of a module there are without blank ones, comments and docstrings."""
    told = {
        line
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in told
        for number, line in enumerate(code.splitlines(), 1)
    )
