"""The localhost proxy: the application dials localhost, the ambassador the right upstream.

    listeners ──> switchboard ──> session ──> turn ──> dial ──> relay
                      │  profiles, faults        the profile's limit
                      │  leftovers of a switch
    admin ──> commands, reloading, health ──┘

program      the process: configuration, signals, exit
settings     its configuration, validated; one profile in `profile_settings`   pure
policies     how upstreams are watched, limited and left: values only          pure
profiles     environments, their upstreams, what is known of each, the order   pure
listeners    accepts clients on loopback
protocols    who takes a client: by protocol, and by what the profiles need
held_client  a client without words, held while its upstream is dialled
sessions/    start-up conversations of protocols that have some
http/        requests and responses
switchboard  where clients go, who is held and connected, what was learned
turns        a connection to an upstream, from the wish for it to its end
dial         attempts with back-off under one deadline
relay        bytes both ways between two sockets
kernel/      plain TCP without this process in between
health       active checks
leftovers    connections that a switch has left behind
reloading    a changed configuration file
faults       on purpose: values; `fault_control` says for whom, `faulty_link` makes them
commands     what the admin endpoint answers and does
metrics      what is counted
drain        the end after SIGTERM; `neighbours` says who else is there
"""
