import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import iniconfig


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"uv {iniconfig.__name__}\n".encode())


ThreadingHTTPServer(("", int(os.environ.get("PORT", 8000))), Handler).serve_forever()
