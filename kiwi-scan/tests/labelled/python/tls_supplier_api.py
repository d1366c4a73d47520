import os

import requests


class SupplierClient:
    BASE = "https://api.supplier.example.com/v1"

    def __init__(self):
        self.session = requests.Session()
        self.session.headers["Authorization"] = "Bearer " + os.environ["SUPPLIER_TOKEN"]
        self.session.verify = "/etc/ssl/private-ca/bundle.pem"

    def create_order(self, order: dict) -> str:
        reply = self.session.post(f"{self.BASE}/orders", json=order, timeout=10)
        reply.raise_for_status()
        return reply.json()["id"]
