"""The one family of expected errors. Each carries the status the API answers with and a stable code."""

from typing import Any, ClassVar


class AppError(Exception):
    """Something the caller can act on.

    `code` is stable and for programs, `detail` is a sentence for people: what happened, what was kept, what to do.
    Keyword arguments become members of the problem document (RFC 9457).
    """

    status: ClassVar[int] = 500
    code: str = "internal_error"
    retry_after_s: int | None = None

    def __init__(self, detail: str, *, code: str | None = None, retry_after_s: int | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra
        if code is not None:
            self.code = code
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s


class BadRequest(AppError):
    status = 400
    code = "bad_request"


class Unauthorized(AppError):
    status = 401
    code = "unauthorized"


class Forbidden(AppError):
    status = 403
    code = "forbidden"


class NotFound(AppError):
    status = 404
    code = "not_found"


class Conflict(AppError):
    status = 409
    code = "conflict"


class PreconditionFailed(AppError):
    """`If-Match` names a version that is not the current one: somebody else changed it meanwhile."""

    status = 412
    code = "precondition_failed"


class TooLarge(AppError):
    status = 413
    code = "too_large"


class UnsupportedMedia(AppError):
    status = 415
    code = "unsupported_media_type"


class Unprocessable(AppError):
    status = 422
    code = "unprocessable"


class PreconditionRequired(AppError):
    """A change that would overwrite others' must say with `If-Match` what it changes."""

    status = 428
    code = "precondition_required"


class TooMany(AppError):
    status = 429
    code = "too_many_requests"
    retry_after_s = 1


class Unavailable(AppError):
    """The outcome is unknown or the service is closed; the same request with the same key is safe to repeat."""

    status = 503
    code = "unavailable"
    retry_after_s = 1
