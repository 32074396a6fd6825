"""RequestError: a request that is answered with a sentence, a code for programs and an HTTP status."""

from __future__ import annotations

from mattebox.core.errors import MatteboxError


class RequestError(MatteboxError):
    """What a client asked for cannot be done; status: of HTTP. code: a word that scripts compare."""

    def __init__(
        self, status: int, code: str, sentence: str, *, retry_after: int | None = None, close: bool = False
    ) -> None:
        """retry_after: seconds until asking again is of use. close: the connection's rest is not read."""
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.close = close
