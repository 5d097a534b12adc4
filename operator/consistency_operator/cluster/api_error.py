"""What the API server answers when it does not do what it is asked."""


class ApiError(Exception):
    """The API server refused, or did not answer (status 0). `refused_fields`: what a schema found wrong.

    `reason`: the API server's word for it, finer than the status. `sent`: the request may have reached it.
    """

    def __init__(
        self,
        status: int,
        message: str,
        refused_fields: tuple[str, ...] = (),
        *,
        reason: str = "",
        sent: bool = True,
    ) -> None:
        super().__init__(f"{status} {message}" if status else message)
        self.status = status
        self.message = message
        self.refused_fields = refused_fields
        self.reason = reason
        self.sent = sent

    @property
    def name_is_taken(self) -> bool:
        """Is there something of the name that should be made? Another 409 is about a version: of a quota, say."""
        return self.status == 409 and self.reason == "AlreadyExists"

    @property
    def proves_nothing_was_made(self) -> bool:
        """Was what should be made refused before it was stored: by a rule, a quota, a webhook, or on the way?

        408 and most of 5xx say that nobody knows. A name that is taken was taken by somebody.
        """
        by_rule = 400 <= self.status < 500 and self.status != 408 and not self.name_is_taken
        return not self.sent or by_rule or "failed calling webhook" in self.message

    @property
    def sentence(self) -> str:
        """The API server's words."""
        return "; ".join(self.refused_fields) or self.message
