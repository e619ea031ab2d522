"""Who may change what in the guild."""

from programs.playground.entities import Channel, Permission, Role
from programs.playground.errors import missing_permissions
from programs.playground.state import State


class Rights:
    """Checks on behalf of `by`: a member of the guild, or None for whoever runs it, who may do everything.

    Each method raises 50013 for what `by` may not.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def require_permissions(self, by: int | None, needed: Permission, channel: Channel | None = None) -> None:
        """To have these permissions: in a channel, or, without one, in the guild as a whole.

        Nobody gives or takes what they do not have themselves.
        """
        if by is not None and needed & ~self._state.permissions(by, channel):
            raise missing_permissions()

    def require_self(self, by: int | None, user_id: int) -> None:
        """To be the one whom it is about."""
        if by not in (None, user_id):
            raise missing_permissions()

    def require_above_role(self, by: int | None, role: Role) -> None:
        """To have a role that is higher than this one, or to own the guild."""
        if by not in (None, self._state.guild.owner_id) and role.position >= self._height(by):
            raise missing_permissions()

    def require_above(self, by: int | None, user_id: int) -> None:
        """To have a role that is higher than all of a member's, or to own the guild; nobody is above its owner."""
        if by is None:
            return
        owner = self._state.guild.owner_id
        if user_id == owner or (by != owner and self._height(user_id) >= self._height(by)):
            raise missing_permissions()

    def _height(self, user_id: int | None) -> int:
        member = self._state.members.get(user_id or 0)
        held = (self._state.roles[role_id] for role_id in member.roles) if member else ()
        return max((role.position for role in held), default=0)
