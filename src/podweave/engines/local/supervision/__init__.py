"""The process that keeps a Pod: `supervisor`, its event loop, and what hangs on it.

Belongs here: carrying out what the lifecycle asks for, output, published ports, and answering
commands over control.sock. Doesn't belong here: rules of the life (lifecycle), Linux (setup).
"""
