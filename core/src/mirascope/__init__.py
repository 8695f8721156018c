"""The namespace of mirascope: the library is `mirascope.core`, the command line `mirascope.cli`."""
