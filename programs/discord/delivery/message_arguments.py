"""A body as discord.py takes it, and whether a message of Discord's shows it."""

import io
from typing import Any

import discord
from discord.http import MultipartParameters, handle_message_parameters

from programs.discord.components.views import custom_ids, view_of
from programs.discord.delivery.bodies import Body, card_as_text, file_of
from programs.discord.permissions.bot import BotPermissions

PING_THE_ASKER = discord.AllowedMentions(everyone=False, users=False, roles=False, replied_user=True)


class MessageArguments:
    """Makes the arguments of requests; a card becomes text where the bot may not embed."""

    def __init__(self, permissions: BotPermissions) -> None:
        self._permissions = permissions

    def to_send(self, channel_id: int, body: Body, *, nonce: str, reply_to: int | None) -> dict[str, Any]:
        """The arguments of `send`, of which nobody but the asker is pinged. `reply_to` is the question's id."""
        options = self._of(channel_id, body)
        options |= {
            "nonce": nonce,
            "allowed_mentions": PING_THE_ASKER,
            "suppress_embeds": "content" in options,  # links in the model's words are not fetched for a preview
        }
        if reply_to is not None and self._permissions.may_read_back(channel_id):
            options["reference"] = discord.MessageReference(
                message_id=reply_to, channel_id=channel_id, fail_if_not_exists=False
            )
        if attached := _attached(body):
            options["file"] = attached
        return options

    def to_edit(self, channel_id: int, body: Body) -> MultipartParameters:
        """The parameters of an edit. Its flags are always among them: what was a card may become a text, or back.

        discord.py's own `PartialMessage.edit` sends no flags.
        """
        attached = _attached(body)
        bare = {"content": None, "embed": None, "view": None}
        options = {**bare, **self._of(channel_id, body)}
        return handle_message_parameters(
            **options,
            attachments=[attached] if attached else [],
            allowed_mentions=discord.AllowedMentions.none(),
            flags=discord.MessageFlags(suppress_embeds=options["content"] is not None),
        )

    def shown(self, message: discord.Message, body: Body) -> bool:
        """Whether the message is as this body makes it; one that a nonce brought back may be older."""
        wanted = custom_ids(view_of(body.get("buttons")))
        return custom_ids(discord.ui.View.from_message(message)) == wanted and self.says(message, body)

    def says(self, message: discord.Message, body: Body) -> bool:
        """The same, whatever buttons the message has."""
        options = self._of(message.channel.id, body)
        embed: discord.Embed | None = options.get("embed")
        if embed is None:
            same = message.content.strip() == str(options["content"]).strip()
            return same and bool(message.attachments) == (file_of(body) is not None)
        return [_essence(shown) for shown in message.embeds] == [_essence(embed)]

    def _of(self, channel_id: int, body: Body) -> dict[str, Any]:
        options: dict[str, Any] = {"view": view_of(body["buttons"])} if body.get("buttons") else {}
        if "content" in body:
            return {"content": body["content"], **options}
        if not self._permissions.may_embed(channel_id):
            return {"content": card_as_text(body), **options}
        return {"embed": discord.Embed.from_dict(body["embed"]), **options}  # type: ignore[arg-type]  # JSON is wider


def _attached(body: Body) -> discord.File | None:
    """The file of a body, made for each request: discord.py closes it."""
    file = file_of(body)
    return None if file is None else discord.File(io.BytesIO(file.text.encode()), filename=file.name)


def _essence(embed: discord.Embed) -> tuple[object, ...]:
    """What a card says, without what Discord adds to it."""
    fields = [(str(field.name).strip(), str(field.value).strip()) for field in embed.fields]
    return embed.color, (embed.description or "").strip(), fields, embed.footer.text
