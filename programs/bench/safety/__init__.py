"""The safety bench: hostile inputs for the real bot, whose model obeys everything that any text asks for."""
