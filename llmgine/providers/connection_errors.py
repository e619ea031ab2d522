"""What a connection to a model service fails by, as an error of ours that tells people what to do."""

import socket

from llmgine.errors import (
    ProviderError,
    ProviderReplyError,
    ProviderStartingError,
    ProviderTimeoutError,
    ProviderUnavailableError,
)
from llmgine.messages.translatable import Text, tr
from llmgine.providers.addresses import OPENAI_SETTINGS, SettingNames
from llmgine.providers.service_errors import service_name


def unconnected(
    exc: Exception, host: str | None, address: str, *, settings: SettingNames = OPENAI_SETTINGS
) -> ProviderError:
    """The error for a connection that was not made, or broke.

    Args:
        exc: What was raised; the class a transport has for this says nothing, so what led to it is looked at.
        host: Where the service is, for people.
        address: The host with its port.
        settings: Which settings people are told to check.
    """
    service = service_name(host)
    if _in_chain(exc, ConnectionRefusedError):
        return ProviderStartingError(
            tr("{service} cannot be reached: nothing listens at {address}.", service=service, address=address)
        )
    if _in_chain(exc, socket.gaierror):
        return ProviderUnavailableError(
            tr("{service} cannot be found. Check {setting} and the network.", service=service, setting=settings.address)
        )
    if _in_chain(exc, TimeoutError):
        return ProviderTimeoutError(tr("{service} does not answer.", service=service))
    return ProviderUnavailableError(tr("{service} cannot be reached, or the connection broke.", service=service))


def unreadable(exc: Exception, host: str | None) -> ProviderError:
    """The error for an answer that broke off or cannot be read."""
    service: Text = service_name(host)
    if isinstance(exc, TimeoutError):
        return ProviderTimeoutError(tr("{service} sent nothing for too long.", service=service))
    if isinstance(exc, ValueError):
        return ProviderReplyError(tr("{service} sent broken JSON or text.", service=service))
    return ProviderReplyError(
        tr("{service} sent an answer that cannot be read ({error}).", service=service, error=type(exc).__name__)
    )


def _in_chain(exc: BaseException, *kinds: type[BaseException]) -> bool:
    """Whether an error, or one that led to it, is of these kinds."""
    seen: BaseException | None = exc
    while seen is not None:
        if isinstance(seen, kinds):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
