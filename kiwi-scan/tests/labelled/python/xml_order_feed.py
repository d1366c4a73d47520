from flask import Flask, jsonify, request
from lxml import etree

app = Flask(__name__)


@app.post("/feed")
def feed():
    parser = etree.XMLParser(resolve_entities=True, load_dtd=True, no_network=False)
    root = etree.fromstring(request.data, parser)
    orders = [
        {"id": node.get("id"), "note": node.findtext("note")}
        for node in root.iter("order")
    ]
    return jsonify(orders)
