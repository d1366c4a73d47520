import socketserver
import ssl

CERT = "/etc/sync/server.pem"
KEY = "/etc/sync/server.key"


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline(1024)
        self.wfile.write(b"OK\n")


def serve(address):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(CERT, KEY)
    with socketserver.ThreadingTCPServer(address, Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.serve_forever()
