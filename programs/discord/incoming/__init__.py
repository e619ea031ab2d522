"""What people say, from Discord to the bus: which messages are answered, and what of them the model is told."""
