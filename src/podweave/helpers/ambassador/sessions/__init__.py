"""Start-up conversations: what must be said before a connection can be relayed.

interface    what a conversation is told and what it answers                  pure
driver       does the I/O of one: dial, TLS, bytes, deadline, last words
lingering    closes a client's connection so that the last words are read
credentials  the login for the upstream, read from a Secret's files
"""
