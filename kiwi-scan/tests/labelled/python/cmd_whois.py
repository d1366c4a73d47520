from os import popen

from bottle import Bottle, request

app = Bottle()


def lookup(domain):
    with popen("whois %s" % domain) as pipe:
        return pipe.read()


@app.get("/whois")
def whois():
    domain = request.query.get("domain", "")
    if len(domain) > 80:
        return {"error": "too long"}
    record = lookup(domain)
    return {"domain": domain, "lines": record.splitlines()}
