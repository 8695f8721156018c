"""A response as the user reads it: the reader, the two drivers over it, and the results."""
