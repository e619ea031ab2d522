"""Runs a server for `tests.postgres`, and ends it and deletes its folder when whoever started it is gone.

Started by its path as `python postgres_keeper.py FOLDER COMMAND…`, so that it needs nothing but Python. Its standard
input is a pipe of whoever started it: the kernel closes that however a process ends. The server's id is printed.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path


def main() -> None:
    folder, *command = sys.argv[1:]
    # The folder belongs to whom the server is to run as.
    owner = Path(folder).stat()
    as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.getuid() == 0 else {}
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=folder, **as_owner)  # type: ignore[call-overload]
    os.write(1, f"{server.pid}\n".encode())
    alone = threading.Event()

    def watch() -> None:
        os.read(0, 1)  # nothing is ever written there: it returns when the pipe is closed
        alone.set()
        server.send_signal(signal.SIGQUIT)  # an immediate shutdown

    threading.Thread(target=watch, daemon=True).start()
    code = server.wait()
    if alone.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0 if code == 0 else 1)  # the thread may still read


if __name__ == "__main__":
    main()
