"""A headless Chromium that records console messages and the hosts that pages contact."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.command import Command

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
PATIENCE_S = 20

needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Debian's packages chromium and chromium-driver"
)


class Browser:
    """One tab. Every call runs in a thread, because the server runs on the test's event loop."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    async def open(self, url: str) -> None:
        """Load a page."""
        await asyncio.to_thread(self.driver.get, url)

    async def run(self, script: str, *arguments: Any) -> Any:  # noqa: ANN401 - JSON
        """Run *script* and return its result."""
        return await asyncio.to_thread(self.driver.execute_script, script, *arguments)

    async def command(self, name: str, **arguments: Any) -> Any:  # noqa: ANN401 - JSON
        """Run a DevTools protocol command."""
        return await asyncio.to_thread(self.driver.execute_cdp_cmd, name, arguments)

    async def wait_for(self, script: str, holds: Callable[[Any], object] = bool) -> Any:  # noqa: ANN401 - JSON
        """Run *script* until *holds* accepts its result, and return the result."""
        value = None
        async with asyncio.timeout(PATIENCE_S):
            while not holds(value):
                await asyncio.sleep(0.02)
                value = await self.run(script)
        return value

    async def wheel(self, x: int, y: int, delta: int, *, ctrl: bool = False) -> None:
        """Turn the wheel over a point."""
        await self.command(
            "Input.dispatchMouseEvent",
            type="mouseWheel",
            x=x,
            y=y,
            deltaX=0,
            deltaY=delta,
            modifiers=2 if ctrl else 0,
        )

    async def drag(self, start: tuple[int, int], stop: tuple[int, int]) -> None:
        """Press, move and release the mouse button."""
        for kind, (x, y) in (("mousePressed", start), ("mouseMoved", stop), ("mouseReleased", stop)):
            await self.command(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1
            )

    def _log(self, kind: str) -> list[dict[str, Any]]:
        answer: dict[str, list[dict[str, Any]]] = self.driver.execute(Command.GET_LOG, {"type": kind})
        return answer["value"]

    def complaints(self) -> list[str]:
        """Return the warnings and errors on the console."""
        return [entry["message"] for entry in self._log("browser") if entry["level"] != "INFO"]

    def hosts_asked(self) -> set[str]:
        """Return the hosts that the pages have contacted."""
        hosts = set()
        for entry in self._log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                parts = urlsplit(message["params"]["request"]["url"])
                if parts.scheme not in {"data", "blob"}:
                    hosts.add(parts.netloc)
        return hosts


@asynccontextmanager
async def browsing(
    width: int = 1280,
    height: int = 800,
    theme: Literal["light", "dark"] = "light",
    *,
    resolve: Mapping[str, str] = MappingProxyType({}),
    options: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Browser]:
    """Run Chromium, which can reach only this machine.

    Args:
        width: Of the window.
        height: Of the window.
        theme: Which colors the page is asked for.
        resolve: Addresses of this machine, by the host names that stand for them.
        options: More options of the command line.
        environ: The environment; None: that of the tests.
    """
    names = "".join(f"MAP {name} {address} , " for name, address in resolve.items())
    settings = webdriver.ChromeOptions()
    settings.binary_location = CHROMIUM or ""
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--disable-background-networking",
        f"--host-resolver-rules={names}MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",
        *options,
    ):
        settings.add_argument(argument)
    settings.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = await asyncio.to_thread(
        webdriver.Chrome, options=settings, service=Service(executable_path=DRIVER, env=environ)
    )
    try:
        browser = Browser(driver)
        await browser.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        features = [{"name": "prefers-color-scheme", "value": theme}]
        await browser.command("Emulation.setEmulatedMedia", features=features)
        yield browser
    finally:
        await asyncio.to_thread(driver.quit)
