"""A body as discord.py takes it, and whether a message of Discord's shows it."""

import io
from collections.abc import Sequence
from typing import Any

import discord
from discord.http import MultipartParameters, handle_message_parameters

from programs.discord.components.views import custom_ids, view_of
from programs.discord.delivery.bodies import Body, attached_sizes, card_as_text, file_of
from programs.discord.permissions.bot import BotPermissions

Files = Sequence[tuple[str, bytes]]  # the names of files of tool calls, and what is in them

PING_THE_ASKER = discord.AllowedMentions(everyone=False, users=False, roles=False, replied_user=True)


class MessageArguments:
    """Makes the arguments of requests; a card becomes text where the bot may not embed."""

    def __init__(self, permissions: BotPermissions) -> None:
        self._permissions = permissions

    def to_send(
        self, channel_id: int, body: Body, *, nonce: str, reply_to: int | None, files: Files = ()
    ) -> dict[str, Any]:
        """The arguments of `send`, of which nobody but the asker is pinged.

        Args:
            channel_id: Where.
            body: What is sent.
            nonce: By which Discord knows it if it is sent again.
            reply_to: The question's id.
            files: The names and data of the files of tool calls that the body has.
        """
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
        if attached := _attached(body, files):
            options["files"] = attached
        return options

    def to_edit(self, channel_id: int, body: Body, files: Files | None = ()) -> MultipartParameters:
        """The parameters of an edit. Its flags are always among them: what was a card may become a text, or back.

        discord.py's own `PartialMessage.edit` sends no flags.

        Args:
            channel_id: Where.
            body: What the message is to show.
            files: The names and data of the files of tool calls that the body has; None where the message has all
                files of the body already, so that none is sent.
        """
        bare = {"content": None, "embed": None, "view": None}
        options = {**bare, **self._of(channel_id, body)}
        return handle_message_parameters(
            **options,
            attachments=discord.utils.MISSING if files is None else _attached(body, files),
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
            return same and len(message.attachments) == len(attached_sizes(body))
        same = [_essence(shown) for shown in message.embeds] == [_essence(embed)]
        return same and len(message.attachments) == len(attached_sizes(body))

    def _of(self, channel_id: int, body: Body) -> dict[str, Any]:
        options: dict[str, Any] = {"view": view_of(body["buttons"])} if body.get("buttons") else {}
        if "content" in body:
            return {"content": body["content"], **options}
        if not self._permissions.may_embed(channel_id):
            return {"content": card_as_text(body), **options}
        return {"embed": discord.Embed.from_dict(body["embed"]), **options}  # type: ignore[arg-type]  # JSON is wider


def _attached(body: Body, files: Files) -> list[discord.File]:
    """The files of a body, made for each request: discord.py closes them."""
    text = file_of(body)
    named = [*([(text.name, text.text.encode())] if text is not None else []), *files]
    return [discord.File(io.BytesIO(data), filename=name) for name, data in named]


def _essence(embed: discord.Embed) -> tuple[object, ...]:
    """What a card says, without what Discord adds to it."""
    fields = [(str(field.name).strip(), str(field.value).strip()) for field in embed.fields]
    return embed.color, (embed.description or "").strip(), fields, embed.footer.text
