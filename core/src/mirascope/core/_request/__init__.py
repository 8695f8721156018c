"""How a decorated function becomes a request: prompt, settings, the prepared call."""
