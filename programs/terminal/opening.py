"""Opening the session that the command line names, as it says, and saying which one it is."""

from llmgine.bootstrap import ApplicationBootstrap
from llmgine.errors import UserError
from llmgine.sessions.records import Session
from llmgine.sessions.store import database_file
from programs.application import DEMO_NOTICE, NOT_CHOSEN
from programs.settings import ProgramConfig
from programs.terminal.command_line import Options, UsageError
from programs.terminal.current_session import CurrentSession
from programs.terminal.session_list import NO_SESSIONS, NOTHING_TO_CONTINUE, last_session, session_called
from programs.terminal.slash import SlashCommands
from programs.terminal.terminal_text import label
from programs.terminal.view import View


def has_store(config: ProgramConfig) -> bool:
    """Whether there may be sessions: who only looks for them makes no database."""
    file = database_file(config.settings.database_url)
    return file is None or file.exists()


def require_store(config: ProgramConfig, options: Options) -> None:
    """Check that there can be the old session that is asked for.

    Raises:
        UsageError: There are no sessions at all.
    """
    if (options.session or options.resume_last) and not has_store(config):
        raise UsageError(NOTHING_TO_CONTINUE if options.resume_last else NO_SESSIONS)


async def open_session(
    app: ApplicationBootstrap, view: View, session: CurrentSession, commands: SlashCommands, options: Options
) -> None:
    """Enter the session, make the settings of the command line in it, and show which one it is.

    Args:
        app: The application, started.
        view: Where it is shown.
        session: Becomes the session.
        commands: Make the settings.
        options: The command line.

    Raises:
        UsageError: There is no such session, or a setting cannot be made.
    """
    try:
        old = await _old_session(app, view, options)
        if old is None:
            session.begin(options.session_name)
        else:
            session.id = old.id
            if options.session_name is not None:
                await commands.rename(options.session_name)
        if options.system_prompt is not None:
            await commands.set_system_prompt(options.system_prompt)
        settings = await app.store.settings.of_session(session.id)
        model = app.config.settings.provider_and_model[1]
        if options.model is not None and settings.model not in {None, model}:
            await commands.set_model(model)
    except UserError as error:
        raise UsageError(str(error)) from error
    await _greet(app, view, session, in_chat=options.question is None)


async def _old_session(app: ApplicationBootstrap, view: View, options: Options) -> Session | None:
    if options.resume_last:
        return await last_session(app.store)
    return None if options.session is None else await session_called(app.store, view, options.session)


async def _greet(app: ApplicationBootstrap, view: View, session: CurrentSession, *, in_chat: bool) -> None:
    """Show which session this is, and in a chat which model answers."""
    if session.is_new:
        view.note(f"session {session.id} (new)")
    else:
        old = await app.store.sessions.get(session.id)
        view.note(f"session {old.id}, {old.turns} turn{'' if old.turns == 1 else 's'}: {label(old)}")
    settings = app.config.settings
    if not settings.has_model:
        view.note(DEMO_NOTICE)
    elif in_chat:
        model = (await app.store.settings.of_session(session.id)).model or settings.openai_model
        view.note(f"{f'model {model}' if model else f'the model is {NOT_CHOSEN}'}; /help lists the commands")
