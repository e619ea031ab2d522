"""How an answer comes to be seen: rendered, posted, edited, and kept where it stands."""
