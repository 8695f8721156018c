"""Price tables from the public data of others: genai-prices and litellm, both of them merged."""
