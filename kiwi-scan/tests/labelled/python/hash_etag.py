import json
from hashlib import md5

from flask import Flask, Response, request

app = Flask(__name__)
CATALOGUE = [{"sku": "a-1", "price": 5}, {"sku": "b-2", "price": 9}]


@app.get("/catalogue")
def catalogue():
    body = json.dumps(CATALOGUE)
    tag = md5(body.encode("utf-8"), usedforsecurity=False).hexdigest()
    if tag in request.if_none_match:
        return Response(status=304)
    return Response(body, mimetype="application/json", headers={"ETag": f'"{tag}"'})
