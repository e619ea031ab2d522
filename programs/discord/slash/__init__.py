"""The slash commands and context menus, a file for each family; `tree.py` lists them."""
