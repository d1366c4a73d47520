import nntplib
import ssl

HOST = "news.example.com"


def open_server():
    context = ssl.create_default_context(cafile="/etc/ssl/certs/news-ca.pem")
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    return nntplib.NNTP_SSL(HOST, 563, ssl_context=context)


def article_count(group: str) -> int:
    with open_server() as server:
        _, count, _, _, _ = server.group(group)
        return count
