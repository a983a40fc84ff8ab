"""Connections to the outside: names to addresses, addresses to connected sockets, on the loop.

One interface, `Connector`, with two ways: directly, or through a broker outside of the Pod's
network namespace. No retries and no choice between upstreams: these are the caller's.
"""
