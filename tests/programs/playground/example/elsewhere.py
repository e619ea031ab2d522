"""Run a bot's script unchanged, with discord.py pointed at another Discord: `elsewhere.py API GATEWAY SCRIPT`."""

import runpy
import sys

import discord
import yarl

if __name__ == "__main__":
    _, api, gateway, script = sys.argv
    discord.http.Route.BASE = api
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
    runpy.run_path(script, run_name="__main__")
