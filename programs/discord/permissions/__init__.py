"""Who may do what: the person who acts, the person who reads, and the bot itself."""
