"""What a usage costs: usage by one rule, price tables, exact costs."""
