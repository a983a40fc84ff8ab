"""The life of a Pod as a pure state machine: events in, commands out, time is an argument.

Belongs here: the order of starting and stopping, restarts, probe thresholds, phases and the
status as kubelet reports it. Doesn't belong here: processes, sockets, clocks, files.
`pod.py` holds the rules of the Pod, `container.py` those of one container.
"""
