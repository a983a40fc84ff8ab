"""Start-up conversations: what must be said before a connection can be relayed.

interface    what a conversation is told and what it answers                  pure
driver       does the I/O of one: the client's bytes, commands, last words
upstream_side  the driver's other side: dial, TLS, bytes, deadline
lingering    closes a client's connection so that the last words are read
credentials  the login for the upstream, read from a Secret's files
"""
