"""The buffer that connections are read into: one for all, for it is empty before the loop turns.

Whoever reads into it passes on or copies what came before anybody else can read. OpenSSL's input
has a buffer of its own (`dialing.tls_socket`): both are full at once.
"""

from __future__ import annotations

BUFFER_SIZE = 65536

buffer = bytearray(BUFFER_SIZE)
view = memoryview(buffer)
