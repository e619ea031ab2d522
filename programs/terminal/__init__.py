"""The parts of the terminal chat: options, line input, the two views, slash commands, export, and the chat itself."""
