"""nginx as a plain proxy: one worker, connections to the upstream kept, no log.

What would make it dearer than it has to be is off: the access log, and temporary files for bodies larger than 16 KB.
Its first port proxies with nginx's own buffering, as one does for whole answers; its second without, as streams need.
"""

import contextlib
import getpass
from collections.abc import Iterator
from pathlib import Path

from bench.process import Server, free_port, serving

CONFIG = """\
{user}
worker_processes 1;
worker_rlimit_nofile 65536;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_buffer_size 128k;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream provider {{
        server 127.0.0.1:{upstream};
        keepalive 4096;
        keepalive_requests 1000000000;
    }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ proxy_pass http://provider; }}
    }}
    server {{
        listen 127.0.0.1:{stream_port} backlog=4096;
        location / {{
            proxy_pass http://provider;
            proxy_buffering off;
        }}
    }}
}}
"""


@contextlib.contextmanager
def running(program: Path, folder: Path, *, core: int, upstream: int) -> Iterator[tuple[Server, int]]:
    """The server and its port for streams."""
    folder.mkdir()
    port, stream_port = free_port(), free_port()
    config = folder / "nginx.conf"
    # Started by root, workers would become another user, who may not enter the folder.
    user = "user root;" if getpass.getuser() == "root" else ""
    config.write_text(CONFIG.format(user=user, folder=folder, upstream=upstream, port=port, stream_port=stream_port))
    command: list[str | Path] = [program, "-p", folder, "-c", config, "-e", folder / "error.log"]
    with serving(command, core=core, port=port, log=folder / "output") as server:
        yield server, stream_port
