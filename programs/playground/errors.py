"""Discord's error answers: one exception, and the ones with a name of their own."""

from collections.abc import Iterable

from programs.playground.entities import Json


class ApiError(Exception):
    """An error answer: HTTP `status`, Discord's `code` and message, and `errors` nested as the form was.

    `retry_after` is a 429's: the seconds until the same request may pass.
    """

    def __init__(
        self, status: int, code: int, message: str, errors: Json | None = None, *, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{status} ({code}): {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.retry_after = retry_after

    def body(self) -> Json:
        """The error as Discord's JSON says it; times are in seconds."""
        body: Json = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        if self.retry_after is not None:
            body |= {"retry_after": round(self.retry_after, 3), "global": False}
        return body


_UNKNOWN = {
    "Application Command": 10063,
    "Channel": 10003,
    "Emoji": 10014,
    "Guild": 10004,
    "Interaction": 10062,
    "Member": 10007,
    "Message": 10008,
    "Role": 10011,
    "User": 10013,
    "Webhook": 10015,
}


def unknown(thing: str) -> ApiError:
    """`unknown("Message")` is Discord's 404 with code 10008."""
    return ApiError(404, _UNKNOWN[thing], f"Unknown {thing}")


def unauthorized() -> ApiError:
    """The token is missing or wrong."""
    return ApiError(401, 0, "401: Unauthorized")


def missing_access() -> ApiError:
    """The bot cannot see what the request is about."""
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    """The bot lacks a permission."""
    return ApiError(403, 50013, "Missing Permissions")


def archived_thread() -> ApiError:
    """The thread is archived."""
    return ApiError(400, 50083, "Thread is archived")


def locked_thread() -> ApiError:
    """The thread is locked."""
    return ApiError(400, 160005, "Thread is locked")


def slowmode(seconds: float) -> ApiError:
    """The author has to wait for so many seconds in this channel."""
    return ApiError(429, 20016, "This action cannot be performed due to slowmode rate limit.", retry_after=seconds)


def empty_message() -> ApiError:
    """The message has nothing in it."""
    return ApiError(400, 50006, "Cannot send an empty message")


FormFault = tuple[Iterable[str | int], str, str]  # where, code, message


def invalid_form(*faults: FormFault) -> ApiError:
    """Discord's 50035: each error is at its place in a tree shaped like the form."""
    tree: Json = {}
    for path, code, message in faults:
        node = tree
        for step in path:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})
    return ApiError(400, 50035, "Invalid Form Body", tree)
