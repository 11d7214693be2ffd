"""What ``relaykit doctor`` is told of a server."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from relaykit.errors import TransportError

_SECONDS = 5.0


def check(options: Mapping[str, Any]) -> str:
    """Return whether the server of the options answers; nothing is signed, so nothing of the key is tested.

    No credential is opened here, so a server that only a credential names is not asked.

    Raises:
        TransportError: It does not answer, or the library is missing.
    """
    if find_spec("httpx") is None:
        raise TransportError('the library httpx is missing; install it with: pip install "relaykit[signaldock]"')
    url = options.get("url")
    if url is None:
        return "not asked, since its address is in its credential; with the option url it is"
    request = urllib.request.Request(f"{url.rstrip('/')}/health")  # noqa: S310 - the schema allows http and https
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310 - as above
            return f"{url} answers"
    except urllib.error.HTTPError as error:
        return f"{url} answers, with {error.code} to a look at its health"
    except (OSError, ValueError) as error:
        raise TransportError(f"{url} does not answer: {error}; start the server, or mend the address") from error
