"""Functions and classes that a model may call."""
