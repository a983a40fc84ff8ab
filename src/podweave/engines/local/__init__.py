"""The local engine: a real Pod from Linux namespaces, no container engine needed."""
