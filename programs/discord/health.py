"""Ask a running bot whether it works: `uv run python -m programs.discord.health [--ready]`.

It asks the bot of the same settings, at HEALTH_PORT, and ends with exit code 0 if the bot works.
"""

import http.client
import sys

from llmgine.errors import ConfigurationError
from llmgine.settings import load_settings
from programs.command_line import program_parser
from programs.exit_codes import ExitCode, run
from programs.settings import ProgramSettings

_PATIENCE = 5.0  # seconds
# What listens on all addresses of a machine is asked at its own.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  nothing listens here


def main() -> int:
    """Ask, and print the bot's sentence. Returns the exit code."""
    parser = program_parser("programs.discord.health", "Ask a running bot whether it works.")
    parser.add_argument("--ready", action="store_true", help="ask whether it is connected to Discord, too")
    options = parser.parse_args()
    settings = load_settings(ProgramSettings)
    if settings.health_port is None:
        raise ConfigurationError("HEALTH_PORT is not set, so the bot answers no health checks: set it for both")
    host = _LOOPBACK.get(settings.health_host, settings.health_host)
    # Not by urllib, which would ask a proxy of the environment.
    connection = http.client.HTTPConnection(host, settings.health_port, timeout=_PATIENCE)
    try:
        for path in ("/healthz", "/readyz") if options.ready else ("/healthz",):
            connection.request("GET", path)
            response = connection.getresponse()
            said = response.read().decode(errors="replace").strip()
            sys.stdout.write(f"{said}\n")
            if response.status != 200:
                return ExitCode.FAULT
    except (OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"No bot answers at {host}:{settings.health_port} ({error or type(error).__name__}).\n")
        return ExitCode.FAULT
    finally:
        connection.close()
    return ExitCode.STOPPED


if __name__ == "__main__":
    sys.exit(run(main))
