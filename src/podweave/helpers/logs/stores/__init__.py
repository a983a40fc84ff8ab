"""Where log records are delivered to: one file a store, all behind `interface.Store`."""
