from flask import Flask, jsonify, request
from lxml import etree

app = Flask(__name__)


@app.post("/prices")
def prices():
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
    root = etree.fromstring(request.data, parser)
    items = [
        {"id": node.get("id"), "price": node.findtext("price")}
        for node in root.iter("item")
    ]
    return jsonify(items)
