"""Values that a model writes as JSON: partials while they arrive, and then what they are."""
