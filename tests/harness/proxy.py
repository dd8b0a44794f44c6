"""nginx of Debian's package with the file that is shipped, before nodes on ports of 127.0.0.1."""

import getpass
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.harness import servers

SHIPPED = Path(__file__).parents[2] / "deploy/nginx/one-api.conf"
AROUND = """\
{user}
worker_processes 2;
worker_rlimit_nofile 65536;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/one-api.conf;
}}
"""


class Nginx:
    """The shipped configuration, its names replaced: node1 is the first of `nodes`, which are ports."""

    def __init__(self, folder: Path, nodes: Sequence[int]) -> None:
        self.folder = folder
        self.port = servers.free_port()
        shipped = SHIPPED.read_text().replace("listen 80;", f"listen 127.0.0.1:{self.port} backlog=4096;")
        for number, node in enumerate(nodes, 1):
            shipped = shipped.replace(f"server node{number}:3000", f"server 127.0.0.1:{node}")
        assert not re.search(r"server node", shipped)
        (folder / "one-api.conf").write_text(shipped)
        # Started by root, workers would become another user, who may not enter the folder.
        user = "user root;" if getpass.getuser() == "root" else ""
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))

    @property
    def command(self) -> list[str | Path]:
        folder = self.folder
        return [servers.sbin("nginx") or "nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"]

    def faults(self) -> str:
        """What nginx says against the file; empty if nothing."""
        done = subprocess.run([*self.command, "-t", "-q"], capture_output=True, text=True, check=False)
        return done.stderr

    @contextmanager
    def running(self) -> Iterator[None]:
        with servers.process(self.command, port=self.port, log=self.folder / "nginx.log"):
            yield
