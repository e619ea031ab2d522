"""The numbers and switches of the playground that a test, or a person, may set otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """At most `limit` requests in `seconds`."""

    limit: int
    seconds: float


@dataclass(frozen=True)
class Rules:
    """Discord's limits, which tests may change; times are in seconds."""

    create: Window = Window(5, 5.0)  # messages created, per channel; as observed on Discord
    edit: Window = Window(5, 5.0)  # messages edited, per channel
    webhook: Window = Window(5, 2.0)  # all requests of one webhook, so of one interaction's token
    other: Window = Window(50, 1.0)  # any other route, per route and channel, guild or webhook
    everything: Window = Window(50, 1.0)  # all of a bot's requests, interactions apart
    old_edits: Window = Window(30, 3600.0)  # edits of messages over an hour old; Discord gives no number
    invalid: Window = Window(10_000, 600.0)  # answers 401, 403 and 429, before the proxy shuts the bot out
    nonce_seconds: float = 300.0  # how long a nonce is remembered ("the past few minutes")
    first_answer_seconds: float = 3.0  # in which an interaction must be answered
    token_seconds: float = 900.0  # in which an interaction's token is good
    heartbeat_seconds: float = 41.25
    replay: int = 1000  # events kept per gateway session for RESUME
    session_starts: int = 1000  # IDENTIFYs in a day; one more costs the bot its token
    max_concurrency: int = 1  # shards that may identify at once
    identify_seconds: float = 0.0  # between two IDENTIFYs of one turnstile; 5 on Discord, which a laptop need not wait
    message_content: bool = True  # whether the application may have the message content intent
    privileged_intents: bool = True  # whether it may have the members and presence intents
