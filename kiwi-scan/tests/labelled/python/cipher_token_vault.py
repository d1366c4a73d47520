import os

from Crypto.Cipher import AES
from Crypto.Random import get_random_bytes

KEY = bytes.fromhex(os.environ["VAULT_KEY"])


class TokenVault:
    def __init__(self, store):
        self.store = store

    def put(self, name, token):
        nonce = get_random_bytes(12)
        cipher = AES.new(KEY, AES.MODE_GCM, nonce=nonce)
        data, tag = cipher.encrypt_and_digest(token.encode())
        self.store[name] = (nonce, data, tag)

    def get(self, name):
        nonce, data, tag = self.store[name]
        cipher = AES.new(KEY, AES.MODE_GCM, nonce=nonce)
        return cipher.decrypt_and_verify(data, tag).decode()
