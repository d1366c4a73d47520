import socketserver
import ssl

CERT = "/etc/gateway/server.pem"
KEY = "/etc/gateway/server.key"


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline(1024)
        self.wfile.write(b"OK\n")


def serve(address):
    context = ssl.SSLContext(ssl.PROTOCOL_TLSv1)
    context.load_cert_chain(CERT, KEY)
    with socketserver.ThreadingTCPServer(address, Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.serve_forever()
