"""What over many runs: running, storing."""
