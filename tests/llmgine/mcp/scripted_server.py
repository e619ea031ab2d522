"""A server of the older generation that does what a test wants: `python scripted_server.py TOOLS [WHAT]`.

TOOLS is a JSON file with the definitions of its tools, read at each listing. A tool does what its name says. WHAT is
`die` or `silent`: it ends, or says nothing, when it is to be initialized.
"""

import base64
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def wait_for(file: str | None) -> None:
    """Answer nothing before that file is there."""
    while file is not None and not Path(file).exists():
        time.sleep(0.01)


def called(identity: object, name: str, parameters: dict[str, Any]) -> None:
    if name == "die":
        os._exit(3)
    if name == "hang":
        return
    if name == "change":
        Path(sys.argv[1]).write_text(json.dumps(parameters["arguments"]["tools"]), encoding="utf-8")
        for _ in range(100):
            say({"method": "notifications/tools/list_changed"})
        wait_for(parameters["arguments"].get("until"))
    if name in {"large", "unreadable"}:
        content = "no list" if name == "unreadable" else [{"type": "text", "text": "x" * 50_000_000}]
        say({"id": identity, "result": {"content": content}})
        return
    if name == "image":
        image = {"type": "image", "data": parameters["arguments"]["data"], "mimeType": "image/png"}
        say({"id": identity, "result": {"content": [image]}})
        return
    if name == "reveal":
        token, key = parameters["_meta"]["progressToken"], os.environ["KEY"]
        about = {"progressToken": token, "progress": 1, "message": f"using {key}"}
        say({"method": "notifications/progress", "params": about})
        resource = {"uri": "file:///a.txt", "blob": base64.b64encode(f"It is {key}.".encode()).decode()}
        say({"id": identity, "result": {"content": [{"type": "resource", "resource": resource}]}})
        return
    if name == "progress":
        for done in (1, 2):
            token = parameters["_meta"]["progressToken"]
            about = {"progressToken": token, "progress": done, "total": 2, "message": f"step {done}"}
            say({"method": "notifications/progress", "params": about})
            time.sleep(0.3)
    text = json.dumps(dict(os.environ)) if name == "environment" else json.dumps(parameters.get("arguments"))
    say({"id": identity, "result": {"content": [{"type": "text", "text": text}]}})


def main() -> None:
    what = sys.argv[2] if len(sys.argv) > 2 else ""
    listings = cancelled = 0
    declared: object = None
    sys.stderr.write("the server began\n")
    for line in sys.stdin:
        message = json.loads(line)
        identity, method = message.get("id"), message["method"]
        if method == "notifications/cancelled":
            cancelled += 1
        if what == "silent" or identity is None:
            continue
        if what == "die" and method == "initialize":
            sys.stderr.write("it is out of order\n")
            sys.exit(3)
        if method == "initialize":
            declared = message["params"]["capabilities"]
            about = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {"listChanged": True}}}
            say({"id": identity, "result": {**about, "serverInfo": {"name": "scripted", "version": "1"}}})
        elif method == "tools/list":
            listings += 1
            say({"id": identity, "result": {"tools": json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))}})
        elif method == "tools/call" and message["params"]["name"] == "counts":
            text = json.dumps({"listings": listings, "cancelled": cancelled, "pid": os.getpid(), "declared": declared})
            say({"id": identity, "result": {"content": [{"type": "text", "text": text}]}})
        elif method == "tools/call":
            called(identity, message["params"]["name"], message["params"])
        else:
            say({"id": identity, "error": {"code": -32601, "message": "Method not found"}})


if __name__ == "__main__":
    main()
