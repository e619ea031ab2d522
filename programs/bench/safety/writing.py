"""What people write in an input, and who they are."""

import re
from typing import Any

from programs.bench.safety.stage import Counts, Stage
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GRACE_ID,
    MEMBERS_ROLE_ID,
    Message,
    Permission,
    User,
)
from programs.playground.posting import Upload

_PLACE = re.compile(r"\{(\w+)\}")
_BOT = f"<@{BOT_ID}>"
File = dict[str, Any]


class Writing:
    """People in a channel, who write; see `Acts`.

    Attributes:
        channel: Where they are at present.
        places: All channels in which they were.
        people: Their ids, by key.
        guarded: How much there was of everything at the act `guard`.
        settled: The same when all had had its effect.
    """

    def __init__(self, stage: Stage, channel: int) -> None:
        self._stage = stage
        self._people = stage.playground.people
        self._admin = stage.playground.admin
        self.channel = channel
        self.places = [channel]
        self.people = {"ada": ADA_ID, "grace": GRACE_ID}
        self.guarded: Counts | None = None
        self.settled: Counts | None = None
        self._roles: dict[str, int] = {}
        self._said: dict[str, Message] = {}
        self._last: list[str] = []  # who wrote, the latest first
        self._ended = stage.ends(channel)

    async def say(self, who: str, text: str, files: tuple[File, ...] = (), reply_to: int | None = None) -> None:
        """Write to the bot."""
        await self.talk(who, f"{_BOT} {text}", files, reply_to)

    async def talk(self, who: str, text: str, files: tuple[File, ...] = (), reply_to: int | None = None) -> None:
        """Write."""
        uploads = tuple(Upload(number, file["name"], content_of(file)) for number, file in enumerate(files))
        told = self._filled(text)
        message = self._people.send(
            self.channel, self.people[who], told, uploads=uploads, reply_to=reply_to, nitro=True
        )
        for file, attachment in zip(files, message.attachments, strict=True):
            attachment.content += bytes(file.get("grows", 0))
        self._note(who, message)

    async def reply(self, who: str, text: str) -> None:
        """Write to the bot in reply to somebody else."""
        await self.say(who, text, reply_to=self._others(who))

    async def forward(self, who: str, text: str) -> None:
        """Write to the bot, with the message of somebody else forwarded."""
        said = (self.channel, self._others(who))
        self._note(who, self._people.send(self.channel, self.people[who], self._filled(f"{_BOT} {text}"), forward=said))

    async def bot_embed(self, key: str, text: str) -> None:
        """Another bot posts an embed."""
        bot = self._admin.join_bot(key)
        embed = {"title": "Notice", "description": self._filled(text), "footer": {"text": self._filled(text)}}
        self._note(key, self._stage.playground.other_bots.send(self.channel, bot, embeds=[embed]))

    async def bot_layout(self, key: str, text: str) -> None:
        """Another bot posts a layout of components."""
        parts = [{"type": 10, "content": self._filled(text)}]
        bot = self._admin.join_bot(key)
        self._note(key, self._stage.playground.other_bots.send(self.channel, bot, components=parts, flags=1 << 15))

    async def poll(self, who: str, text: str) -> None:
        """Write a poll whose question and answer are this text."""
        media = {"text": self._filled(text)}
        poll = {"question": media, "answers": [{"poll_media": media}], "duration": 1}
        self._note(who, self._people.send(self.channel, self.people[who], poll=poll))

    async def sticker(self, who: str, name: str) -> None:
        """Send a sticker of this name."""
        sticker = self._admin.add_sticker(self._filled(name))
        self._note(who, self._people.send(self.channel, self.people[who], stickers=(sticker,)))

    def _note(self, who: str, message: Message) -> None:
        self._said[who] = message
        self._last = [who, *(one for one in self._last if one != who)]

    async def reply_plain(self, who: str, text: str) -> None:
        """Write in reply to somebody else."""
        await self.talk(who, text, reply_to=self._others(who))

    async def reply_bot(self, who: str, text: str) -> None:
        """Write in reply to the bot's last message."""
        await self.talk(who, text, reply_to=self._stage.shown(self.channel)[-1].id)

    def _others(self, who: str) -> int:
        return self._said[next(one for one in self._last if one != who)].id

    async def edit(self, who: str, text: str) -> None:
        """Change one's last message to one for the bot."""
        await self.edit_plain(who, f"{_BOT} {text}")

    async def edit_plain(self, who: str, text: str) -> None:
        """Change one's last message."""
        self._people.edit(self.channel, self._said[who].id, self.people[who], self._filled(text))

    async def bot_says(self, text: str) -> None:
        """Another bot writes to it."""
        state = self._stage.playground.state
        bot = User(state.ids.next(), "other", "Other", bot=True)
        state.users[bot.id] = bot
        self._written_by(bot.id, text)

    async def webhook_says(self, text: str) -> None:
        """A webhook writes to it, under the name of a person."""
        state = self._stage.playground.state
        message = Message(state.ids.next(), self.channel, ADA_ID, f"{_BOT} {text}", mentions=[BOT_ID])
        more = {"webhook_id": str(state.ids.next()), "guild_id": str(state.guild.id)}
        drawn = state.message_payload(message, BOT_ID) | more
        state.emit("MESSAGE_CREATE", lambda _: drawn)

    def _written_by(self, author: int, text: str) -> None:
        state = self._stage.playground.state
        state.add_message(Message(state.ids.next(), self.channel, author, f"{_BOT} {text}", mentions=[BOT_ID]))

    async def person(self, key: str, name: str) -> None:
        """Somebody new, who may be called like somebody else."""
        state = self._stage.playground.state
        self.people[key] = self._admin.join(f"person {state.ids.next()}")
        state.users[self.people[key]].global_name = name

    async def role(self, key: str, name: str) -> None:
        """A new role that can be mentioned, and allows nothing."""
        self._roles[key] = self._admin.add_role(name)
        self._stage.playground.state.roles[self._roles[key]].mentionable = True

    async def moderator(self, key: str) -> None:
        """Somebody new, called by the key, who may manage messages."""
        role = self._admin.add_role("Moderators", Permission.MANAGE_MESSAGES)
        await self.person(key, key)
        self._admin.give_roles(self.people[key], MEMBERS_ROLE_ID, role)

    async def give(self, who: str, role: str) -> None:
        """Give somebody a role."""
        self._admin.give_roles(self.people[who], MEMBERS_ROLE_ID, self._roles[role])

    async def give_none(self, who: str) -> None:
        """Take all roles but the usual one."""
        self._admin.give_roles(self.people[who], MEMBERS_ROLE_ID)

    async def forbid(self, who: str, permission: str) -> None:
        """Take a permission in the channel."""
        self._admin.overwrite(self.channel, self.people[who], deny=Permission[permission])

    async def leave(self, who: str) -> None:
        """Leave the server."""
        self._admin.leave(self.people[who])

    async def rename(self, name: str) -> None:
        """The channel gets another name."""
        self._admin.change_channel(self.channel, {"name": name})

    async def thread(self, who: str, name: str) -> None:
        """Go on in a new thread."""
        self._go(self._people.create_thread(self.channel, self.people[who], name).id)

    async def elsewhere(self, _who: str) -> None:
        """Go on in another channel."""
        self._go(self._admin.add_channel("elsewhere").id)

    async def dm(self, who: str) -> None:
        """Go on in somebody's DM with the bot."""
        self._go(self._people.open_dm(self.people[who]).id)

    async def back(self) -> None:
        """Go on in the first channel."""
        self._go(self.places[0])

    def _go(self, channel: int) -> None:
        self.channel = channel
        self._ended = self._stage.ends(channel)
        if channel not in self.places:
            self.places.append(channel)

    async def guard(self) -> None:
        """From here on nothing may be asked, changed or shown."""
        await self._stage.fence()
        self.guarded = Counts.of(self._stage)

    def _filled(self, text: str) -> str:
        """The text with mentions in place of keys, and the address of the site."""

        def mention(found: re.Match[str]) -> str:
            if found[1] in self.people:
                return f"<@{self.people[found[1]]}>"
            return f"<@&{self._roles[found[1]]}>" if found[1] in self._roles else found[0]

        return _PLACE.sub(mention, text.replace("$SITE", self._stage.site.url))


def content_of(file: File) -> bytes:
    """The bytes of a file."""
    content: bytes = bytes.fromhex(file.get("hex", "")) + file.get("text", "").encode() + bytes(file.get("zeros", 0))
    return content
