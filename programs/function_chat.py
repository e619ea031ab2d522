"""Chat with a model that calls tools, in the terminal: `python -m programs.function_chat`, or this file itself."""

import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program while it is still loading

if not __package__:
    # Run as a file, the first place to import from is this folder, where `discord` is ours and not discord.py.
    here = Path(__file__).resolve().parent
    sys.path[:] = [str(here.parent), *(path for path in sys.path if Path(path).resolve() != here)]

from programs.terminal.main import main

if __name__ == "__main__":
    sys.exit(main())
