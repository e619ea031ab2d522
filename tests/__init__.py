"""All tests, and what they share."""

import importlib.util
import sys

# A pytest from elsewhere on PATH would end in a traceback, or run without time limits.
if any(importlib.util.find_spec(name) is None for name in ("discord", "pytest_asyncio", "pytest_timeout", "xdist")):
    sys.exit("The test tools are not installed. Run: uv run --group test pytest")
