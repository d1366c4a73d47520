import hashlib


def broken(self:
    x = hashlib.md5(b"1")
    )))) = eval(1)
