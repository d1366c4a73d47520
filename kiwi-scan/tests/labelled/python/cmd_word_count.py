import os
from shlex import quote

from bottle import Bottle, request

app = Bottle()
ARCHIVE = "/srv/archive/articles.txt"


def count_matches(word):
    with os.popen("grep -c -F -e %s %s" % (quote(word), ARCHIVE)) as pipe:
        return pipe.read()


@app.get("/count")
def count():
    word = request.query.get("word", "")
    total = count_matches(word).strip()
    return {"word": word, "total": int(total or 0)}
