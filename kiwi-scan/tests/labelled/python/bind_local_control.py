import socket

STATE = {"maintenance": False}


def handle(line: bytes) -> bytes:
    if line.strip() == b"status":
        return b"maintenance=%d\n" % STATE["maintenance"]
    return b"unknown command\n"


def main() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 9902))
        sock.listen(4)
        while True:
            conn, _ = sock.accept()
            with conn:
                conn.sendall(handle(conn.recv(256)))


if __name__ == "__main__":
    main()
