"""Fetch MapLibre GL JS from the npm registry into ``siteselect/report/vendor/``.

Usage: ``python tools/vendor_maplibre.py [VERSION]``. Needs npm. The page of a run holds the
library itself (no request to anywhere), so the build that is read as a classic script is taken:
version 5 is the last that has one.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

VERSION = "5.24.1"
VENDOR = Path(__file__).resolve().parents[1] / "siteselect" / "report" / "vendor"
FILES = {
    "package/dist/maplibre-gl.js": "maplibre-gl.js",
    "package/dist/maplibre-gl.css": "maplibre-gl.css",
    "package/LICENSE.txt": "maplibre-gl.LICENSE.txt",
}


def fetch(version: str) -> dict[str, bytes]:
    """The files of that version, by the name they get here."""
    with TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"maplibre-gl@{version}"], cwd=folder, check=True
        )
        archive = next(Path(folder).glob("*.tgz"))
        with tarfile.open(archive) as package:
            contents = {}
            for member, name in FILES.items():
                stream = package.extractfile(member)
                if stream is None:
                    raise SystemExit(f"{member} is not in the package")
                contents[name] = stream.read()
    return contents


def plain(content: bytes) -> bytes:
    """Without the link to a source map, which is not shipped."""
    lines = content.decode("utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("//# sourceMappingURL")]
    return ("\n".join(kept).strip() + "\n").encode("utf-8")


def main() -> None:
    """Write the files and the list of their sha256."""
    version = sys.argv[1] if len(sys.argv) > 1 else VERSION
    VENDOR.mkdir(parents=True, exist_ok=True)
    listed = [f"maplibre-gl {version} (npm), BSD-3-Clause", ""]
    for name, content in fetch(version).items():
        text = plain(content)
        (VENDOR / name).write_bytes(text)
        listed.append(f"{hashlib.sha256(text).hexdigest()}  {name}")
    (VENDOR / "SHA256SUMS").write_text("\n".join(listed) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
