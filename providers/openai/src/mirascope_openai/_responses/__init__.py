"""OpenAI's Responses API: the same list of files as a provider of its own."""
