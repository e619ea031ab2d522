"""The numbers and switches of the playground that a test, or a person, may set otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """At most `limit` requests in `seconds`."""

    limit: int
    seconds: float


@dataclass(frozen=True)
class Rules:
    create: Window = Window(5, 5.0)  # messages created, per channel; as observed on Discord
    edit: Window = Window(5, 5.0)  # messages edited, per channel
    other: Window = Window(50, 1.0)  # any other route, per route and channel, guild or webhook
    everything: Window = Window(50, 1.0)  # all of a bot's requests, interactions apart
    nonce_seconds: float = 300.0  # how long a nonce is remembered ("the past few minutes")
    first_answer_seconds: float = 3.0  # in which an interaction must be answered
    token_seconds: float = 900.0  # in which an interaction's token is good
    heartbeat_seconds: float = 41.25
    replay: int = 1000  # events kept per gateway session for RESUME
    message_content: bool = True  # whether the application may have the message content intent
    privileged_intents: bool = True  # whether it may have the members and presence intents
