"""Drives Flagsmith's Python SDK, in remote and in local evaluation."""

import os

from flagsmith import Flagsmith
from flagsmith.models import DefaultFlag

from driver import serve, wait_for

SERVER = os.environ["OFFSHOOT_URL"]
NEVER = 1_000_000


class Driver:
    def __init__(self):
        self.clients = {}

    def open(self, client, key, mode="remote", changes="none", with_defaults=False, with_analytics=False):
        options = {"environment_key": key, "api_url": f"{SERVER}/api/v1/", "enable_analytics": with_analytics}
        if mode == "local":
            options["enable_local_evaluation"] = True
            options["environment_refresh_interval_seconds"] = 0.1 if changes == "polling" else NEVER
        if changes == "stream":
            options |= {"enable_realtime_updates": True, "realtime_api_url": f"{SERVER}/"}
        if with_defaults:
            options["default_flag_handler"] = lambda name: DefaultFlag(enabled=False, value="the default")
        self.clients[client] = Flagsmith(**options)

    def flags(self, client, identity, traits):
        flagsmith = self.clients[client]
        if identity is None:
            return flagsmith.get_environment_flags()
        return flagsmith.get_identity_flags(identity, traits)

    def evaluate(self, client, flag, identity=None, traits=None, **_):
        found = self.flags(client, identity, traits).get_flag(flag)
        answer = {"enabled": found.enabled, "value": found.value}
        if found.is_default:
            answer["is_default"] = True
        elif getattr(found, "variant", None):
            answer["variant"] = found.variant
        return answer

    def wait_for(self, value, seconds, **evaluation):
        return wait_for(value, seconds, lambda: self.evaluate(**evaluation))

    def compare(self, one, other, identities):
        """What one client and another say differently of these identities, and how much was compared."""
        compared, differences = 0, []
        for identity in identities:
            said = [self.everything(client, **identity) for client in (one, other)]
            compared += len(said[0])
            if said[0] != said[1]:
                differences.append({"identity": identity, one: said[0], other: said[1]})
        return {"compared": compared, "differences": differences[:3]}

    def everything(self, client, identity, traits):
        flags = self.flags(client, identity, traits).all_flags()
        # One tells that a feature has no variant, the other says nothing of it.
        return {flag.feature_name: [flag.enabled, flag.value, flag.variant] for flag in flags}

    def report(self, client):
        """Tells the server now how often flags were evaluated, instead of after ten seconds."""
        self.clients[client]._analytics_processor.flush()

    def close(self, client):
        # Its threads end with it.
        del self.clients[client]


serve(Driver())
