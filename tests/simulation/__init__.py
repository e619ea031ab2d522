"""A deterministic simulation of the whole bot: one process, a virtual clock, a simulated Discord, model and disk.

Every fault is drawn by a seed, kills of the process included, so that each failure can be replayed. The code of the
bot, of the engine and of discord.py is the real one; what is simulated is what lies outside of the process.
"""
