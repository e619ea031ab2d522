"""What Windows lacks, taken away on Linux: with this folder on PYTHONPATH, Python starts `sitecustomize` by itself."""

import sys
from pathlib import Path

_started = getattr(sys.modules.get("sitecustomize"), "__file__", None)
ACTIVE = _started is not None and Path(_started).parent == Path(__file__).parent  # in this process
