import os

from flask import Flask, jsonify, request
from ldap3 import ALL, Connection, Server
from ldap3.utils.conv import escape_filter_chars

app = Flask(__name__)
server = Server("ldaps://ldap.example.com", get_info=ALL)
BASE = "ou=people,dc=example,dc=com"


@app.get("/phonebook")
def phonebook():
    name = escape_filter_chars(request.args.get("name", ""))
    with Connection(server, "cn=reader,dc=example,dc=com", os.environ["LDAP_PW"]) as conn:
        conn.search(BASE, f"(&(objectClass=person)(cn={name}))", attributes=["mail"])
        return jsonify([str(entry.mail) for entry in conn.entries])
