"""The data path `kernel`: plain TCP connections that never come to this process.

route_localnet   the setting of the Pod's network that it takes            I/O
netlink_socket   requests to the kernel, and its dumps                      I/O
netfilter        the table of nftables: transactions, counters
sockets          who is connected, and cutting them off
members          upstreams to addresses that have answered
datapath         puts it together: takes connections away from the listener, and gives them back
"""
