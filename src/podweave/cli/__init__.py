"""The commands, one file each. Heavy imports happen inside the command."""
