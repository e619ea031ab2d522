"""The commands inside the chat. To add one: a method here and its line in `COMMANDS`."""

import asyncio
from collections.abc import Awaitable, Callable

from llmgine.engine.setting_changes import EFFORTS
from llmgine.engine.timezones import set_timezone, told_timezone
from llmgine.errors import LLMgineError, UnknownSessionError, UserError
from llmgine.messages.commands import (
    AuditOrigin,
    Author,
    ChangeSettingCommand,
    ClearSessionCommand,
    Command,
    ForgetTurnCommand,
    RegenerateTurnCommand,
    RenameSessionCommand,
    SetSystemPromptCommand,
)
from llmgine.messages.steps import Turn
from llmgine.providers.choosing import require_listed
from programs.application import NOT_CHOSEN, Application
from programs.export import as_json
from programs.terminal.current_session import SOURCE, CurrentSession
from programs.terminal.file_writing import write_new
from programs.terminal.files import read_regular, require_few
from programs.terminal.history import history_path
from programs.terminal.session_list import show_sessions
from programs.terminal.terminal_text import one_line
from programs.terminal.view import View

DEFAULT = "-"  # the argument that takes a choice away

# Each command, with its arguments and what it does. It calls the method of its name below.
COMMANDS = {
    "/new": ("[NAME]", "start a new session"),
    "/sessions": ("[WORDS]", "list recent sessions, or those with these words in their name"),
    "/rename": ("NAME", "give this session another name"),
    "/clear": ("", "forget this conversation; the session keeps its name"),
    "/retry": ("", "ask for the last answer again"),
    "/undo": ("", "forget the last question and its answer"),
    "/file": ("[FILE]", "attach a text, an image, a document or audio to the next message; - removes what is attached"),
    "/model": ("[NAME]", "show or set the model of this session; - restores the default"),
    "/effort": (
        "[VALUE]",
        f"show or set how much the model thinks, {EFFORTS[0]} to {EFFORTS[-1]}; - restores the default",
    ),
    "/system": ("[PROMPT]", "show or set the system prompt; - restores the default"),
    "/timezone": ("[NAME]", "show or set your time zone, in which the model is told the time; - restores the default"),
    "/tools": ("", "list the tools the model can call"),
    "/export": ("[FILE]", "show the session as JSON, or save it to a new file"),
    "/help": ("", "show this list, and the keys"),
    "/exit": ("", "quit (Ctrl-D does the same)"),
}

# The keys, with what they do.
KEYS = {
    "Enter": "send the message",
    "Alt-Enter": "start another line of it (or Esc, then Enter); pasted text keeps its lines",
    "Up, Down": "bring back what you typed before, in earlier chats too; Ctrl-R searches it",
    "Tab": "complete a command or its argument",
    "Ctrl-C": "clear the line or stop the answer; again to quit",
    "//": "begin a message with a slash",
}


class SlashCommands:
    """Runs the lines that begin with a slash.

    Args:
        app: The application.
        session: The session that the chat is in.
        view: Shows the answers.
        me: The person at the terminal.

    Attributes:
        leaving: Whether the chat is to end.
        failed: Whether a command failed.
    """

    def __init__(self, app: Application, session: CurrentSession, view: View, me: Author) -> None:
        self._app = app
        self._session = session
        self._view = view
        self._me = me
        self.leaving = False
        self.failed = False
        self._methods: dict[str, Callable[[str], Awaitable[str | None]]] = {
            name: getattr(self, f"_{name[1:]}") for name in COMMANDS
        }

    async def run(self, line: str) -> str | None:
        """Run the command in the line; its errors are shown. Returns the id of the turn that it began, if any."""
        name, _, rest = line.partition(" ")
        method = self._methods.get(name.casefold())
        try:
            if method is None:
                known = ", ".join(COMMANDS)
                raise UserError(
                    f"Unknown command {one_line(name, 40)}. The commands are {known}. "
                    "To send a message that begins with a slash, type // instead of /."
                )
            return await method(rest.strip())
        except LLMgineError as error:
            self.failed = True
            self._view.error(str(error))
            return None

    async def set_system_prompt(self, prompt: str | None) -> None:
        """Set the session's own system prompt; None removes it.

        Raises:
            UserError: It is too long.
        """
        session = self._session
        await self._execute(
            SetSystemPromptCommand(session_id=session.id, session_name=session.name, system_prompt=prompt)
        )

    async def set_model(self, name: str | None) -> None:
        """Set the session's own model; None removes it.

        Raises:
            UserError: The service has no such model.
        """
        if name is not None:
            require_listed(await self._app.engine.model.names(), name)
        await self._change("model", name)

    async def rename(self, name: str) -> None:
        """Give the session another name."""
        await self._execute(RenameSessionCommand(session_id=self._session.id, title=name))

    async def _execute(self, command: Command) -> None:
        (await self._app.bus.execute(command)).unwrap()

    async def _change(self, name: str, value: str | None) -> None:
        await self._execute(ChangeSettingCommand(scope=self._session.id, name=name, value=value, changed_by=self._me))

    async def _new(self, name: str) -> None:
        self._session.begin(name or None)
        self._view.note(f"session {self._session.id} (new)")

    async def _sessions(self, words: str) -> None:
        await show_sessions(self._app.store, self._view, words, self._session.id)

    async def _rename(self, name: str) -> None:
        if not name:
            raise UserError("Give the name, such as /rename Weather Assistant.")
        await self.rename(name)
        self._view.note(f"Renamed to {one_line(name, 60)}.")

    async def _clear(self, _: str) -> None:
        # The title of a session of Discord is made by the model from what was said.
        await self._execute(ClearSessionCommand(session_id=self._session.id, keep_title=self._session.is_ours))
        history = history_path(self._app.config.settings)
        typed = f" What you typed can still be found in {history}." if await asyncio.to_thread(history.exists) else ""
        self._view.note(f"Conversation cleared.{typed}")

    async def _retry(self, _: str) -> str:
        turn = await self._last_turn()
        await self._execute(RegenerateTurnCommand(session_id=self._session.id, turn_id=turn.id, attempt=turn.attempt))
        return turn.id

    async def _undo(self, _: str) -> None:
        turn = await self._last_turn()
        question = (await self._app.store.turns.get(turn.id)).state.prompt.text
        here = self._session.id
        audit = AuditOrigin(by=Author(id="", name="The terminal"), place=here, listed_under=here)
        await self._execute(ForgetTurnCommand(session_id=here, turn_id=turn.id, audit=audit))
        self._view.note(f"Forgotten, with its answer: {one_line(question, 60)}")

    async def _last_turn(self) -> Turn:
        turn = await self._app.store.turns.last(self._session.id)
        if turn is None:
            raise UserError("There is no question yet.")
        if turn.source != SOURCE:  # its answer is posted by the bot, which edits or deletes it
            raise UserError("The last question was asked in Discord; use the buttons of its answer there.")
        return turn

    async def _file(self, path: str) -> None:
        files = self._session.files
        if path == DEFAULT:
            files.clear()
        elif path:
            settings = self._app.config.settings
            vision = settings.has_model and settings.openai_vision
            hears = settings.transcribe_model is not None
            file = await asyncio.to_thread(
                read_regular, path, vision=vision, image_bytes=settings.image_bytes, hears=hears
            )
            require_few([*files, file], settings.image_bytes)
            files.append(file)
            if file.note is not None:
                self._view.note(file.note)
        names = ", ".join(one_line(file.attachment.name, 100) for file in files)
        self._view.note(f"Attached to the next message: {names}." if names else "No files are attached.")

    async def _model(self, name: str) -> None:
        if name:
            await self.set_model(None if name == DEFAULT else name)
        settings = await self._app.store.settings.of_session(self._session.id)
        default = self._app.engine.model.name or NOT_CHOSEN
        self._show_choice(
            "Model", settings.model, default, self._app.engine.settings.models(await self._app.engine.model.names())
        )

    async def _effort(self, value: str) -> None:
        efforts = self._app.engine.settings.choices.efforts
        if value and value not in (*efforts, DEFAULT):
            raise UserError(f"The efforts are {', '.join(efforts)}; - restores the default.")
        if value:
            await self._change("effort", None if value == DEFAULT else value)
        settings = await self._app.store.settings.of_session(self._session.id)
        self._show_choice("Effort", settings.effort, "the model's own", efforts)

    def _show_choice(self, what: str, value: str | None, default: str, choices: tuple[str, ...]) -> None:
        chosen = one_line(value, 100) if value else f"{one_line(default, 100)} (default)"
        offered = f" · to choose from: {one_line(', '.join(choices), 2_000)}" if choices else ""
        self._view.note(f"{what}: {chosen}{offered}")

    async def _system(self, prompt: str) -> None:
        if prompt == DEFAULT:
            await self.set_system_prompt(None)
            self._view.note("System prompt reset to the default.")
        elif prompt:
            await self.set_system_prompt(prompt)
            self._view.note("System prompt set.")
        else:
            own = await self._own_system_prompt()
            self._view.say(self._app.config.settings.system_prompt if own is None else own)

    async def _own_system_prompt(self) -> str | None:
        try:
            return (await self._app.store.sessions.get(self._session.id)).system_prompt
        except UnknownSessionError:  # it has no prompt yet
            return None

    async def _timezone(self, name: str) -> None:
        if name:
            await set_timezone(self._app.bus, SOURCE, None, name)
        self._view.note(str(await told_timezone(self._app.store, SOURCE, None)))

    async def _tools(self, _: str) -> None:
        tools = self._app.engine.tools
        for schema in tools.schemas():
            asks = " (asks you first)" if tools.get(schema.name).requires_approval else ""
            self._view.say(f"{schema.name}{asks}: {one_line(schema.description, 100)}")

    async def _export(self, file: str) -> None:
        text = await as_json(self._app.store, self._session.id)
        if not file:
            self._view.say(text)
            return
        path = await asyncio.to_thread(write_new, file, text)
        self._view.note(f"Saved to {path}.")

    async def _help(self, _: str) -> None:
        rows = {f"{name} {arguments}": meaning for name, (arguments, meaning) in COMMANDS.items()}
        width = max(map(len, rows))
        for what, meaning in [*rows.items(), ("", ""), *KEYS.items()]:
            self._view.say(f"{what:<{width}}  {meaning}".rstrip())

    async def _exit(self, _: str) -> None:
        self.leaving = True
