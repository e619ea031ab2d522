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

# What is typed, with its arguments, and what it does; each is the method of that name below.
COMMANDS = {
    "/sessions": ("[WORDS]", "list the sessions used last, or those with these words in their name"),
    "/system": ("[PROMPT]", "show what the model is told first, or set it; - goes back to the default"),
    "/clear": ("", "forget the conversation"),
    "/tools": ("", "list the tools the model may call"),
    "/export": ("[FILE]", "show the session as JSON, or write it to a new file"),
    "/help": ("", "this list"),
    "/exit": ("", "leave; so does Ctrl-D"),
}


class SlashCommands:
    """Does what a line beginning with a slash says.

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
        """Do what the line says; what goes wrong is shown."""
        name, _, rest = line.partition(" ")
        method = self._methods.get(name.casefold())
        if method is None:
            known = ", ".join(COMMANDS)
            self._view.error(
                f"There is no command {one_line(name, 40)}. The commands are {known}. "
                "Begin with // to say something that begins with a slash."
            )
            return
        try:
            await method(rest.strip())
        except LLMgineError as error:
            self._view.error(str(error))

    async def set_system_prompt(self, prompt: str | None) -> None:
        """Give the session its own system prompt, or none of its own.

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
            self._view.note("The default system prompt holds from now on.")
        elif prompt:
            await self.set_system_prompt(prompt)
            self._view.note("The model is told this first from now on.")
        else:
            own = await self._own_system_prompt()
            self._view.say(self._app.config.settings.system_prompt if own is None else own)

    async def _own_system_prompt(self) -> str | None:
        try:
            return (await self._app.store.sessions.get(self._session_id)).system_prompt
        except UnknownSessionError:  # nothing was said yet
            return None

    async def _clear(self, _: str) -> None:
        await self._execute(ClearSessionCommand(session_id=self._session_id))
        if self._session_id.startswith("terminal:"):  # its name may be the first words that were said in it
            await self._app.store.sessions.ensure(self._session_id, now(), self._session_id)
        self._view.note("The conversation is forgotten.")

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
        self._view.note(f"Written to {path}.")

    async def _help(self, _: str) -> None:
        width = max(len(f"{name} {arguments}") for name, (arguments, _) in COMMANDS.items())
        for name, (arguments, meaning) in COMMANDS.items():
            self._view.say(f"{f'{name} {arguments}':<{width}}  {meaning}")
        self._view.say("Ctrl-C stops the answer, a second one leaves. // at the start says a single slash.")

    async def _exit(self, _: str) -> None:
        self.leaving = True
