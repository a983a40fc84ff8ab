"""What makes a Pod of Linux: namespaces, network, volumes, and the containers' roots.

Belongs here: plans of operations (`operations`, read `pod_setup` first) and the processes that
carry them out, `agent` for the Pod and `process_one` for each container. `pod_sandbox` is the
face towards the supervisor. Doesn't belong here: when a container starts or stops.
"""
