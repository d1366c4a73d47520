import os

import requests


class PartnerClient:
    BASE = "https://api.partner.example.com/v2"

    def __init__(self):
        self.session = requests.Session()
        self.session.headers["Authorization"] = "Bearer " + os.environ["PARTNER_TOKEN"]
        self.session.verify = False

    def create_order(self, order: dict) -> str:
        reply = self.session.post(f"{self.BASE}/orders", json=order, timeout=10)
        reply.raise_for_status()
        return reply.json()["id"]
