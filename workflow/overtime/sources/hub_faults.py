"""What can go wrong with the Hub: which faults may pass, which are the network's, and what to do about each."""

import errno
from pathlib import Path

import httpx2
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from overtime.sources.places import PASSING

HUB_ATTEMPTS = 6


class DamagedError(OSError):
    """What arrived is not what the Hub says it holds."""


def may_pass(error: BaseException) -> bool:
    """Whether trying again may help."""
    cause = origin(error)
    untold = type(cause) is OSError and cause.errno is None  # how huggingface_hub reports a transfer that came short
    damaged = untold or isinstance(cause, DamagedError)
    return not isinstance(cause, OfflineModeIsEnabled) and (damaged or out_of_reach(cause))


def out_of_reach(cause: BaseException) -> bool:
    """Whether the fault is of the network or of a failing server, not of what was asked for or of the bytes that came."""
    if isinstance(cause, HfHubHTTPError):
        return cause.response.status_code in PASSING
    network = (httpx2.TransportError, ConnectionError, TimeoutError, LocalEntryNotFoundError)  # offline mode is one of them
    return isinstance(cause, network) and not isinstance(cause, httpx2.UnsupportedProtocol)


def origin(error: BaseException) -> BaseException:
    """What lies behind "not found in the cache either"."""
    while isinstance(error, LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def advise(cause: BaseException, page: str, place: str | Path) -> str:
    """What is wrong and what to do, in one line; `page` is that of the repository, `place` where its files were to go."""
    status = cause.response.status_code if isinstance(cause, HfHubHTTPError) else None
    reason = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    match cause:
        case GatedRepoError():
            return f"gated; accept the licence at {page} and set HF_TOKEN to a token of that account"
        case RevisionNotFoundError():
            return f"no such revision; {page}/tree/main lists the branches"
        case RepositoryNotFoundError():
            return "no such repository on the Hub, or a private one; correct the name, or set HF_TOKEN to a valid token"
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return f"the disk is full at {place}; make room and run again"
        case HFValidationError():
            return "neither a folder nor a name on the Hub, which is ORGANISATION/NAME"
        case OfflineModeIsEnabled():
            return "not in the Hub's cache, and HF_HUB_OFFLINE forbids to fetch it"
    if status in (401, 403):
        return f"the Hub refuses access ({status}); set HF_TOKEN to a valid token that may read {page}"
    if may_pass(cause):
        return f"cannot be fetched after {HUB_ATTEMPTS} attempts ({reason}); try again later"
    return f"cannot be fetched from the Hub ({reason}); see {page}"
