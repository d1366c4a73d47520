import imaplib
import os
import ssl

HOST = "imap.example.com"


def open_mailbox(user: str):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    box = imaplib.IMAP4_SSL(HOST, 993, ssl_context=context)
    box.login(user, os.environ["IMAP_PASSWORD"])
    return box


def unread_count(user: str) -> int:
    with open_mailbox(user) as box:
        box.select("INBOX", readonly=True)
        _, data = box.search(None, "UNSEEN")
        return len(data[0].split())
