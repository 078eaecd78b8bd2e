"""mirror_server.py DIRECTORY: serves DIRECTORY/NAME as http://NAME/ and https://NAME/ on the loopback; see mirror.py."""

import http.server
import ssl
import sys
import threading
from pathlib import Path


class Answer(http.server.SimpleHTTPRequestHandler):
    root: Path

    def translate_path(self, path: str) -> str:
        self.directory = str(self.root / self.headers.get("Host", "").split(":")[0])
        return super().translate_path(path)

    def log_message(self, *_: object) -> None:
        pass


def serve(root: Path) -> None:
    Answer.root = root
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(root / "certificate.pem", root / "key.pem")
    plain, secret = (http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer) for port in (80, 443))
    secret.socket = context.wrap_socket(secret.socket, server_side=True)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    print("ready", flush=True)
    secret.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
