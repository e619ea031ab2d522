"""The commands inside the chat. To add one: a method here and its line in `COMMANDS`."""

import asyncio
from collections.abc import Awaitable, Callable

from llmgine.bootstrap import ApplicationBootstrap
from llmgine.errors import LLMgineError, UnknownSessionError
from llmgine.messages.commands import ClearSessionCommand, Command, SetSystemPromptCommand
from llmgine.sessions.clock import now
from programs.export import as_json
from programs.terminal.file_writing import write_new
from programs.terminal.session_list import show_sessions
from programs.terminal.terminal_text import one_line
from programs.terminal.view import View

# Each command, with its arguments and what it does. It calls the method of its name below.
COMMANDS = {
    "/sessions": ("[WORDS]", "list recent sessions, or those with these words in their name"),
    "/system": ("[PROMPT]", "show or set the system prompt; - restores the default"),
    "/clear": ("", "forget this conversation"),
    "/tools": ("", "list the tools the model can call"),
    "/export": ("[FILE]", "show the session as JSON, or save it to a new file"),
    "/help": ("", "show this list"),
    "/exit": ("", "quit (Ctrl-D does the same)"),
}


class SlashCommands:
    """Runs the lines that begin with a slash.

    Args:
        app: The application.
        session_id: The session.
        session_name: The name it was given on the command line.
        view: Shows the answers.
    """

    def __init__(self, app: ApplicationBootstrap, session_id: str, session_name: str | None, view: View) -> None:
        self._app = app
        self._session_id = session_id
        self._session_name = session_name
        self._view = view
        self.leaving = False
        self._methods: dict[str, Callable[[str], Awaitable[None]]] = {
            name: getattr(self, f"_{name[1:]}") for name in COMMANDS
        }

    async def run(self, line: str) -> None:
        """Run the command in the line; its errors are shown."""
        name, _, rest = line.partition(" ")
        method = self._methods.get(name.casefold())
        if method is None:
            known = ", ".join(COMMANDS)
            self._view.error(
                f"Unknown command {one_line(name, 40)}. The commands are {known}. "
                "To send a message that begins with a slash, type // instead of /."
            )
            return
        try:
            await method(rest.strip())
        except LLMgineError as error:
            self._view.error(str(error))

    async def set_system_prompt(self, prompt: str | None) -> None:
        """Set the session's own system prompt; None removes it.

        Raises:
            UserError: It is too long.
        """
        name = self._session_name
        await self._execute(
            SetSystemPromptCommand(session_id=self._session_id, session_name=name, system_prompt=prompt)
        )

    async def _execute(self, command: Command) -> None:
        (await self._app.bus.execute(command)).unwrap()

    async def _sessions(self, words: str) -> None:
        await show_sessions(self._app.store, self._view, words, self._session_id)

    async def _system(self, prompt: str) -> None:
        if prompt == "-":
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
            return (await self._app.store.sessions.get(self._session_id)).system_prompt
        except UnknownSessionError:  # it has no prompt yet
            return None

    async def _clear(self, _: str) -> None:
        await self._execute(ClearSessionCommand(session_id=self._session_id))
        if self._session_id.startswith("terminal:"):  # its name may be the beginning of its first prompt
            await self._app.store.sessions.ensure(self._session_id, now(), self._session_id)
        self._view.note("Conversation cleared.")

    async def _tools(self, _: str) -> None:
        tools = self._app.engine.tools
        for schema in tools.schemas():
            asks = " (asks you first)" if tools.get(schema.name).requires_approval else ""
            self._view.say(f"{schema.name}{asks}: {one_line(schema.description, 100)}")

    async def _export(self, file: str) -> None:
        text = await as_json(self._app.store, self._session_id)
        if not file:
            self._view.say(text)
            return
        path = await asyncio.to_thread(write_new, file, text)
        self._view.note(f"Saved to {path}.")

    async def _help(self, _: str) -> None:
        width = max(len(f"{name} {arguments}") for name, (arguments, _) in COMMANDS.items())
        for name, (arguments, meaning) in COMMANDS.items():
            self._view.say(f"{f'{name} {arguments}':<{width}}  {meaning}")
        self._view.say("Ctrl-C stops the answer; a second Ctrl-C quits. Type // to begin a message with a slash.")

    async def _exit(self, _: str) -> None:
        self.leaving = True
