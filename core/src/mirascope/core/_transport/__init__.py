"""Who owns a connection, and how one waits for it.

The only room that knows sockets, threads, clocks, signals and forks.
"""
