"""Where the adapter writes its rows: standard output, a file, a spool for a log sidecar."""
