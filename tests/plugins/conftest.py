"""The plugins here are somebody else's: their tests run where they are installed."""

collect_ignore = ["acme", "beta"]
