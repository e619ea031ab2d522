"""What a model can be shown of a file that somebody attaches: by its bytes, whatever it is called."""
