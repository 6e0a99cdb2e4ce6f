"""What the program ships: the banks."""
