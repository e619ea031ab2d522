"""All mutations, by area."""

from tests.mutations import budgets, decision, delivery, durability, gates, limits, order, secrecy
from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (
    *gates.MUTATIONS,
    *decision.MUTATIONS,
    *limits.MUTATIONS,
    *order.MUTATIONS,
    *durability.MUTATIONS,
    *budgets.MUTATIONS,
    *secrecy.MUTATIONS,
    *delivery.MUTATIONS,
)
