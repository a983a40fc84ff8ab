"""What probes and hooks do: exec, httpGet, tcpSocket, grpc, sleep.

Exchanges are bytes in, bytes out; `conversations` runs them over a socket in the loop. When a
probe is due and what its answers add up to is the lifecycle's.
"""
