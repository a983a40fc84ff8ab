"""What runs a woven Pod: one interface, an engine a package."""
