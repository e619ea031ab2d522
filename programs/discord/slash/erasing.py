"""What is going to be erased, as /doctor says it."""

import discord

from llmgine.engine.retention import MOST_COUNTED, Outlook
from llmgine.messages.translatable import Text, joined, tr, tr_many
from llmgine.sessions.clock import at
from programs.application import Application
from programs.discord.slash.findings import Finding

ABOUT = tr("Erasing")
_MOST_SERVERS = 5


async def finding(app: Application, *, all_of_it: bool) -> Finding:
    """What is going to be erased and when; other servers and people are named only with `all_of_it`.

    It is a warning while nothing was erased yet that cannot be got back.
    """
    outlook = await app.erasing.retention.outlook()
    is_new = outlook.begins is not None and outlook.begins > discord.utils.utcnow()
    return Finding(ABOUT, int(is_new), joined("; ", _idle(outlook), *(_others(outlook) if all_of_it else ())))


def _others(outlook: Outlook) -> list[Text]:
    said: list[Text] = []
    for left, due in outlook.left[:_MOST_SERVERS]:
        said.append(
            tr(
                "server {id}, which I left {when}, is erased {due}",
                id=str(left.guild),
                when=discord.utils.format_dt(at(left.left_at), "R"),
                due=discord.utils.format_dt(due, "R"),
            )
        )
    if len(outlook.left) > _MOST_SERVERS:
        said.append(tr("so are {count} more servers", count=len(outlook.left) - _MOST_SERVERS))
    if outlook.unfinished:
        said.append(
            tr_many("{count} person is being forgotten", "{count} people are being forgotten", outlook.unfinished)
        )
    return said


def _idle(outlook: Outlook) -> Text:
    if outlook.days is None:
        return tr("conversations are kept until they are erased")
    idle = tr("more than {count}", count=MOST_COUNTED - 1) if outlook.idle == MOST_COUNTED else str(outlook.idle)
    begins = outlook.begins
    if begins is None or begins <= discord.utils.utcnow():
        return tr_many(
            "conversations unused for {count} day are erased",
            "conversations unused for {count} days are erased",
            outlook.days,
        )
    words = tr_many(
        "from {when} on, conversations unused for {count} day are erased, {idle} by now",
        "from {when} on, conversations unused for {count} days are erased, {idle} by now",
        outlook.days,
    )
    how = tr("remove RETENTION_DAYS from the settings to keep them")
    return joined("; ", words.filled(when=discord.utils.format_dt(begins), idle=idle), how)
