# The bot as a container; docs/running.md explains how to run it.
# The Python that all tests run on.
FROM python:3.11-slim

RUN useradd --system --uid 10001 --no-create-home --home-dir /var/lib/llmgine --shell /usr/sbin/nologin llmgine \
    && install --directory --owner=llmgine --group=llmgine --mode=0700 /var/lib/llmgine

# A layer of its own: dependencies change less often than the program.
COPY requirements.lock /app/
RUN pip install --no-cache-dir --require-hashes -r /app/requirements.lock

COPY pyproject.toml /app/
COPY llmgine /app/llmgine
COPY programs /app/programs
RUN python -m compileall -q /app/llmgine /app/programs

# The program is read-only and runs in the volume, so the default settings put data, logs and outbox there.
# PYTHONSAFEPATH keeps what is in the volume from being imported.
ENV PYTHONPATH=/app PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 HEALTH_PORT=8702
USER llmgine
WORKDIR /var/lib/llmgine
VOLUME /var/lib/llmgine

HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-m", "programs.discord.health"]
CMD ["python", "-m", "programs.discord.bot"]
