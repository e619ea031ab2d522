"""Sources of replies: a real service, a script, and the one protocol they share (`base.py`)."""
