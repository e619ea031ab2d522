"""How often webhooks are answered: two programs that answer each other would never end."""

from collections import OrderedDict
from typing import NamedTuple

from programs.discord.permissions.rates import Rates, TooOften
from programs.discord.permissions.webhooks import WebhookAuthor

MOST_IN_A_ROW = 5
_MOST_CHANNELS = 10_000  # that are remembered; in the others it begins again


class InARow(NamedTuple):
    """Too many messages of webhooks were answered in a channel since a person wrote there; `most` is how many may be.

    `is_first`: nobody was told of it since.
    """

    most: int
    is_first: bool


class WebhookBounds:
    """Bounds the answers to webhooks: for each name and each channel within a minute, and in a row without a person.

    It is in memory only: a restart forgets it.

    Args:
        rates: How often somebody may ask.
        most: How many messages of webhooks are answered in a channel until a person writes there.

    Attributes:
        in_a_row: How many were answered in each channel, by its id, and one more where people were told that it is
            enough. Whoever hears of a person's message takes the channel out: it is no talk of programs alone.
    """

    def __init__(self, rates: Rates, *, most: int = MOST_IN_A_ROW) -> None:
        self._rates = rates
        self._most = most
        self.in_a_row: OrderedDict[int, int] = OrderedDict()

    def take(self, webhook: WebhookAuthor, channel_id: int) -> TooOften | InARow | None:
        """Count that a webhook asks in a channel; or why it may not."""
        answered = self.in_a_row.get(channel_id, 0)
        if answered >= self._most:
            self._count(channel_id, self._most + 1)
            return InARow(self._most, is_first=answered == self._most)
        refusal = self._rates.take(webhook.number)
        if refusal is None:
            refusal = self._rates.take(-channel_id)  # which is nobody's id
            if refusal is not None:
                self._rates.give_back(webhook.number)
        if refusal is None:
            self._count(channel_id, answered + 1)
        return refusal

    def give_back(self, webhook: WebhookAuthor, channel_id: int) -> None:
        """What was counted last did not happen."""
        self._rates.give_back(webhook.number)
        self._rates.give_back(-channel_id)
        self._count(channel_id, max(0, self.in_a_row.get(channel_id, 0) - 1))

    def _count(self, channel_id: int, answered: int) -> None:
        self.in_a_row[channel_id] = answered
        self.in_a_row.move_to_end(channel_id)
        while len(self.in_a_row) > _MOST_CHANNELS:
            self.in_a_row.popitem(last=False)
