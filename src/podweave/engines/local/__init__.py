"""The local engine: a real Pod from Linux namespaces, no container engine needed.

Who is who while a Pod runs, and where to read on:

    command                  supervisor, one a Pod       the Pod's own processes
    ───────                  ─────────────────────       ───────────────────────
    local_engine             supervision/supervisor      setup/agent: holds the namespaces
      client/: asks over       lifecycle/: the rules     setup/process_one: PID 1 of each container
      control.sock,            probes/: probes, hooks    setup/broker: dials outside for helpers
      reads logs               setup/pod_sandbox:
                               all that is Linux

`up` forks the supervisor (`client/prefork`), hands it an order (`client/order_messages`) and waits
(`client/control_calls`); `supervision/launch` sets the Pod up. What outlives processes is in
`records`, what is shown of a Pod in `pod_objects`; `sockets` binds and dials Unix sockets.

Everything may import `records` and `sockets`. `lifecycle` and `setup` import nothing of the other
rooms: `supervision` and `probes` stand on them.
"""
