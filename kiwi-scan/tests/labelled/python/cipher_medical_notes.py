import os

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY = bytes.fromhex(os.environ["NOTES_KEY"])


def encrypt_note(text: str) -> bytes:
    padder = padding.PKCS7(128).padder()
    block = padder.update(text.encode("utf-8")) + padder.finalize()
    encryptor = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def store_note(conn, patient_id: int, text: str) -> None:
    conn.execute(
        "INSERT INTO notes (patient, body) VALUES (?, ?)",
        (patient_id, encrypt_note(text)),
    )
