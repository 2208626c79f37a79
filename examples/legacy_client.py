#!/usr/bin/env python3
"""A client of the Common service, as it was before anything moved: REST and nothing else, standard library only.

Usage: legacy_client.py [BASE_URL]

Prints every request and its answer. Exit status 1 if an answer is not the one that the contract promises.
"""

import json
import sys
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 10


class CommonService:
    """The two operations, as the service's contract (openapi/common.yaml) has them."""

    def __init__(self, base_url):
        self.base_url = base_url.rstrip("/")

    def assign_role(self, user, role):
        return self._call("POST", f"/users/{user}/roles", {"roleId": role})

    def delete_stack(self, userhash, test_id):
        return self._call("DELETE", f"/infra/{userhash}/{test_id}")

    def _call(self, method, path, body=None):
        """Returns (status, parsed body) of any answer; raises OSError if there is none."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base_url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        print(f"> {method} {path} {'' if data is None else data.decode()}".rstrip())
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                status, text = response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        print(f"< {status} {text}", flush=True)
        try:
            return status, json.loads(text)
        except ValueError:
            return status, {}


def expect(answer, status, key, value=None):
    """Says so and returns False unless the answer has the status and, under the key, the value (any, if None)."""
    found_status, body = answer
    found = body.get(key) if isinstance(body, dict) else None
    if found_status == status and found is not None and value in (None, found):
        return True
    print(f"! expected {status} with {key!r}{'' if value is None else f' = {value}'}", flush=True)
    return False


def main(arguments):
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 2
    service = CommonService(*(arguments or ["http://127.0.0.1:8080"]))
    try:
        results = [
            expect(service.assign_role("ada", "editor"), 200, "success", True),
            expect(service.assign_role("nobody", "editor"), 404, "error"),
            expect(service.assign_role("ada", "emperor"), 422, "error"),
            expect(service.delete_stack("5f2b", "run-7"), 200, "success", True),
            # Once more, as impatient people do: the contract makes it a success.
            expect(service.delete_stack("5f2b", "run-7"), 200, "success", True),
        ]
    except OSError as error:
        print(f"! no answer: {error}", file=sys.stderr)
        return 1
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
