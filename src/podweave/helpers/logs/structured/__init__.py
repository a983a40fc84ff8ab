"""Lines that name their own fields (JSON, logfmt, LTSV, key=value), as layouts.

A format of the kind is a table: which names mean which neutral fields, which names must be
there. Exact ways from a line to a record are here, and shapes: lines of a file that have the
same names in the same order, compiled as other layouts are.
"""
