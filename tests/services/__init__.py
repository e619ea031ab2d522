"""Strict stand-ins of model services on loopback: each refuses what its service refuses, in its words.

`catalogue.SERVICES` has one row for each; `wordings` has what services say to a request that is too long.
"""
