"""Behind `podweave search`: the query language, its SQL, the store's files, the output.

`query` and `conditions` are pure; only `database` knows DuckDB, and imports it when asked.
"""
