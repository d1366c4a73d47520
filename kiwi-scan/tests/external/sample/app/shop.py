"""A small shop, with mistakes on purpose."""

import hashlib
import subprocess
import yaml


def price(path):
    return yaml.load(open(path))


def show(name):
    subprocess.run("ls " + name, shell=True)
    return hashlib.md5(name.encode()).hexdigest()


def again(name):
    return hashlib.md5(name.encode()).hexdigest()


def known(name):
    return hashlib.md5(name.encode()).hexdigest()  # nosec B324


def accepted(name):
    return eval(name)  # nosemgrep: kiwi-eval
