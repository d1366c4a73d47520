import random
import time

import requests

MIRRORS = [
    "https://mirror-a.example.com/index.json",
    "https://mirror-b.example.com/index.json",
]


def fetch_index(attempts: int = 4) -> dict:
    for attempt in range(attempts):
        url = random.choice(MIRRORS)
        reply = requests.get(url, timeout=5)
        if reply.ok:
            return reply.json()
        time.sleep((2**attempt) + random.random())
    raise RuntimeError("index not reachable")
