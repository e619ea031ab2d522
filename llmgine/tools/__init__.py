"""Tools: ordinary functions a model may call, described to it by their signature and docstring."""
