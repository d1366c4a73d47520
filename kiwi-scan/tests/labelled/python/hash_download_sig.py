import hashlib
import hmac
import os
import time

SIGNING_KEY = os.environ["LINK_KEY"].encode()


def sign_link(path, ttl=3600):
    expires = int(time.time()) + ttl
    hasher = hashlib.new("sha1")
    hasher.update(SIGNING_KEY + path.encode() + str(expires).encode())
    return f"{path}?e={expires}&s={hasher.hexdigest()}"


def check_link(path, expires, signature):
    payload = SIGNING_KEY + path.encode() + str(expires).encode()
    wanted = hashlib.sha1(payload).hexdigest()
    return hmac.compare_digest(wanted, signature) and expires > time.time()
