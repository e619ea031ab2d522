"""Which requests of the delivery go first."""

from programs.discord.delivery.bodies import is_courtesy
from programs.discord.delivery.next_steps import Edit, Post, Step
from programs.discord.rate_limiter import Importance


def importance_of(step: Step) -> Importance:
    """How important the request of a step is: people wait for answers, and less so for their previews."""
    if isinstance(step, Post | Edit) and step.urgent:
        return Importance.FIRST
    if isinstance(step, Post | Edit) and is_courtesy(step.part.body):
        return Importance.COURTESY
    return Importance.PREVIEW if isinstance(step, Edit) else Importance.FIRST
