import os

from flask import Flask, jsonify, request
from ldap3 import ALL, Connection, Server

app = Flask(__name__)
server = Server("ldaps://ldap.example.com", get_info=ALL)
BASE = "ou=people,dc=example,dc=com"


@app.get("/people")
def people():
    surname = request.args.get("surname", "")
    with Connection(server, "cn=reader,dc=example,dc=com", os.environ["LDAP_PW"]) as conn:
        conn.search(BASE, f"(&(objectClass=person)(sn={surname}))", attributes=["mail"])
        return jsonify([str(entry.mail) for entry in conn.entries])
