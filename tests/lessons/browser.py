"""A real Chromium without a screen, and a JupyterLab of one's own to show it."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from helpers import missing, require

#: What Chromium is called where it is installed.
NAMES = ("chromium", "chromium-browser", "google-chrome")
#: Milliseconds that a page may take on a busy machine; no test waits for them when it is well.
PATIENCE = 60_000
#: What Jupyter Notebook itself complains of while it opens.
KNOWN = (
    "Cannot read properties of undefined (reading 'schema')",
    "Command 'filebrowser:open-path' not registered.",
)
#: The setting whose question would lie over the page.
NEWS = "@jupyterlab/apputils-extension/notification.jupyterlab-settings"


@contextmanager
def chromium():
    """Give a browser; where there is none, skip."""
    playwright = require("playwright.sync_api")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        missing("chromium is not installed")
    # A sandbox cannot be made by root, nor in most containers; all pages shown are our own.
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def page(browser, width):
    """Open a page of a width; no error may come up in its console, but for Jupyter's known ones."""
    context = browser.new_context(viewport={"width": width, "height": 844})
    context.set_default_timeout(PATIENCE)
    shown, errors = context.new_page(), []
    shown.on("console", lambda said: said.type == "error" and errors.append(said.text))
    shown.on("pageerror", lambda error: errors.append(str(error)))
    yield shown
    assert [error for error in errors if error not in KNOWN] == []
    context.close()


@contextmanager
def jupyter(folder):
    """Start a server whose root is a folder, and whose settings are nobody's; give its address."""
    own = {
        name: str(folder / ".jupyter" / name)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    silent = Path(own["JUPYTER_CONFIG_DIR"], "lab", "user-settings", NEWS)
    silent.parent.mkdir(parents=True)
    silent.write_text('{"fetchNews": "false"}')
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    options = ["--ip=127.0.0.1", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    with (folder / "log").open("w+") as log:
        server = subprocess.Popen(
            [*command, *options],
            cwd=folder,
            env=os.environ | own | {"FPDRIFT_FAST": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _address(folder / ".jupyter" / "JUPYTER_RUNTIME_DIR", server, log)
        finally:
            server.terminate()
            server.wait()


def _address(runtime, server, log):
    """Wait for the file in which a server says where it listens."""
    for _ in range(PATIENCE // 100):
        for told in runtime.glob("jpserver-*.json"):
            return json.loads(told.read_text())["url"]
        if server.poll() is not None:
            break
        time.sleep(0.1)
    log.seek(0)
    raise AssertionError(log.read())
