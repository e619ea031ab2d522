#!/bin/sh
# The terminal chat, from any directory: ./run_function_chat.sh [OPTIONS]; --help lists them.
# It runs in the project's folder, so that its .env, data/ and logs/ are the ones the bot uses; files that you name are
# still those of the folder you are in.
set -eu

export LLMGINE_SCRIPT="$0"  # what `usage:` calls it
export LLMGINE_CALLED_IN="$PWD"
cd "$(dirname "$(readlink -f "$0")")"
if command -v uv >/dev/null 2>&1; then
    exec uv run python -m programs.function_chat "$@"
elif [ -x .venv/bin/uv ]; then
    exec .venv/bin/uv run python -m programs.function_chat "$@"
fi
echo "uv is not installed: run 'python3 -m venv .venv && .venv/bin/pip install -q uv' in $PWD and start again." >&2
exit 1
