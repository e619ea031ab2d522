"""Run the simulation: `python -m tests.simulation --turns N --seed S`; exit code 1 when a promise is broken."""

import sys

from tests.simulation.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
