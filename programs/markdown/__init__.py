"""Markdown as models write it: its blocks, tables, formulas and HTML, for all that shows it."""
