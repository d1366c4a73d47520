import shutil
import socketserver

CACHE_DIR = "/var/cache/shop"
STATE = {"maintenance": False}


class Console(socketserver.StreamRequestHandler):
    def handle(self):
        command = self.rfile.readline(64).strip()
        if command == b"flush":
            shutil.rmtree(CACHE_DIR, ignore_errors=True)
        elif command == b"maintenance":
            STATE["maintenance"] = not STATE["maintenance"]
        self.wfile.write(b"done\n")


def main(host="0.0.0.0", port=9901):
    with socketserver.TCPServer((host, port), Console) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
