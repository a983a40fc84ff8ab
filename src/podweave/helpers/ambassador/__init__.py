"""The localhost proxy: the application dials localhost, the ambassador the right upstream.

program      the process: configuration, signals, admin endpoint, exit
settings     its configuration, validated                                     pure
profiles     environments, and the weighted order in which to try upstreams   pure
listeners    accepts clients on loopback
switchboard  what becomes of a client: held while its dial lasts, then relayed
dial         attempts with back-off under one deadline
relay        bytes both ways between two sockets
metrics      what is counted
drain        the end after SIGTERM
"""
