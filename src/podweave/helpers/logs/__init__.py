"""The log programs: the adapter that normalises lines, the sidecar that ships them."""
