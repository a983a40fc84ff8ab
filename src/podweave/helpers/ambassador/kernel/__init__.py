"""The data path `kernel`: plain TCP connections that never come to this process.

netfilter   the socket to nftables: transactions, counters          I/O
sockets     who is connected, and cutting them off                  I/O
members     upstreams to addresses that have answered
datapath    puts it together: takes connections away from the listener, and gives them back
"""
