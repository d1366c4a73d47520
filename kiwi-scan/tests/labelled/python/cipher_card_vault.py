import os

from Crypto.Cipher import DES
from Crypto.Util.Padding import pad, unpad

KEY = bytes.fromhex(os.environ["VAULT_KEY"])


class CardVault:
    def __init__(self, store):
        self.store = store

    def put(self, card_id, number):
        cipher = DES.new(KEY, DES.MODE_ECB)
        self.store[card_id] = cipher.encrypt(pad(number.encode(), DES.block_size))

    def get(self, card_id):
        cipher = DES.new(KEY, DES.MODE_ECB)
        return unpad(cipher.decrypt(self.store[card_id]), DES.block_size).decode()
