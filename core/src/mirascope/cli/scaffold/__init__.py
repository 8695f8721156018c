"""What `mirascope new-provider` writes: the names in it, the files of each kind, and the writing.

The Python files of `templates/` are modules of a provider called `new_name`, so that type checkers
and linters look at them where they stand.
"""
