"""Drives OpenFeature's Python SDK with the OFREP provider."""

import os

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

from driver import serve, wait_for

SERVER = os.environ["OFFSHOOT_URL"]


class Driver:
    def open(self, client, key, **_):
        headers = {"Authorization": f"Bearer {key}"}
        api.set_provider(OFREPProvider(SERVER, headers_factory=lambda: headers), domain=client)

    def evaluate(self, client, flag, kind, default, identity=None, traits=None):
        context = EvaluationContext(targeting_key=identity, attributes=traits or {})
        resolve = getattr(api.get_client(domain=client), f"get_{kind}_details")
        details = resolve(flag, default, context)
        answer = {"value": details.value, "variant": details.variant, "reason": details.reason}
        if details.error_code:
            answer["error"] = details.error_code
        return answer

    def wait_for(self, value, seconds, **evaluation):
        return wait_for(value, seconds, lambda: self.evaluate(**evaluation))

    def close(self, client):
        api.set_provider(api.NoOpProvider(), domain=client)


serve(Driver())
