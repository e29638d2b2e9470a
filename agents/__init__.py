"""Who decides what: behaviour of each kind of agent, compiled, and its Mesa face."""
