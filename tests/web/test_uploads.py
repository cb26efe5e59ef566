"""Files sent to the application: good ones become packs, hostile ones nothing."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
import zipfile

import pytest
from pyproj import Transformer

from siteselect.errors import InputError
from siteselect.web.uploads import check_content, safe_file_name
from tests.tinypack import X0, Y0

HEADER = "Identifiant;Nom du site;Nature;Code INSEE;Longitude;Latitude;Surface (ha)\n"
VRT = "<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/passwd</SrcDataSource>"


def rows(*cells):
    lon, lat = Transformer.from_crs(2154, 4326, always_xy=True).transform(X0 + 500, Y0 + 500)
    good = f"A-1;Ancienne filature;friche;01000;{lon:.5f};{lat:.5f};12,5\n"
    return (HEADER + good + "".join(cells)).encode()


def send(server, content, *, name="sites.csv", pack="envoi"):
    return server.http.post(
        f"/api/uploads?pack={pack}&base=tiny", files={"file": (name, io.BytesIO(content))}
    )


def test_a_table_of_sites_becomes_a_pack(shared_server):
    asked = send(shared_server, rows())
    assert asked.status_code == 202, asked.text
    job = shared_server.job(asked.json()["id"])
    assert job["state"] == "done", job
    pack = shared_server.http.get("/api/packs/envoi").json()
    assert {layer["role"]: layer["rows"] for layer in pack["layers"]}["sites"] == 1
    assert not list((shared_server.workspace / "runs" / ".queue" / "uploads").iterdir())
    again = send(shared_server, rows())
    assert again.status_code == 422
    assert again.json()["faults"][0]["key"] == "pack"


def test_what_is_wrong_is_told_cell_by_cell(shared_server):
    asked = send(shared_server, (HEADER + "A-1;x;château;99;abc;0;-3\n").encode(), pack="faux")
    job = shared_server.job(asked.json()["id"])
    assert job["state"] == "failed"
    cells = {(one["file"], one["row"], one["value"]) for one in job["faults"] if one["row"]}
    assert ("sites.csv", 2, "C2 Nature: château") in cells
    assert ("sites.csv", 2, "G2 Surface (ha): -3") in cells
    assert str(shared_server.workspace) not in json.dumps(job)
    assert not (shared_server.workspace / "packs" / "faux").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.gpkg", VRT.encode()),
        ("x.geojson", VRT.encode()),
        ("x.csv", VRT.encode()),
        ("x.csv", b"a;b\0c"),
        ("x.xlsx", b"not a zip"),
        ("x.geojson", b'{"type": "STACItemCollection", "features": []}'),
        ("x.json", b"[" * 100_000),
    ],
)
def test_files_are_what_their_names_say(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match="not what the name"):
        check_content(path)


def test_a_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 40_000_000)
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match="40 MB unpacked"):
        check_content(path)


@pytest.mark.skipif(sys.platform == "win32", reason="no such limits")
def test_a_reader_has_bounds_on_memory_and_on_what_it_writes(tmp_path):
    code = (
        "from siteselect.web.uploads import limit_this_process, MOST_MEMORY_BYTES as most\n"
        "limit_this_process()\n"
        "try:\n    bytearray(most)\n"
        "except MemoryError:\n    print('memory')\n"
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with open('large', 'wb') as file:\n"
        "    try:\n        file.truncate(3 * 2**30)\n"
        "    except OSError:\n        print('disk')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["memory", "disk"], done.stderr


@pytest.mark.parametrize("name", ["x.exe", "x", "x.csv.gz", "x.zip", "../../x.vrt", "x.shp"])
def test_other_kinds_of_file_are_refused_at_once(shared_server, name):
    assert send(shared_server, b"x", name=name, pack="autre").status_code == 422


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/cron.csv", "cron.csv"),
        ("C:\\Users\\a\\sites.XLSX", "sites.xlsx"),
        ("été à l'Ouest.csv", "_t____l_Ouest.csv"),
        (".csv", "fichier.csv"),
        ("a" * 300 + ".gpkg", "a" * 80 + ".gpkg"),
        ("<img src=x>.csv", "_img_src_x_.csv"),
    ],
)
def test_names_of_files_are_made_harmless(given, kept):
    assert safe_file_name(given) == kept


def test_a_geopackage_that_points_elsewhere_shows_nothing(shared_server, tmp_path):
    """A virtual table over a file of the machine, inside a valid SQLite file."""
    path = tmp_path / "x.gpkg"
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE gpkg_contents (table_name TEXT, data_type TEXT, identifier TEXT,"
                     " srs_id INTEGER)")  # fmt: skip
        base.execute("PRAGMA writable_schema = 1")
        base.execute(
            "INSERT INTO sqlite_master VALUES ('table', 'v', 'v', 0,"
            " 'CREATE VIRTUAL TABLE v USING VirtualOGR(''/etc/passwd'')')"
        )
        base.execute("INSERT INTO gpkg_contents VALUES ('v', 'attributes', 'v', 0)")
    asked = send(shared_server, path.read_bytes(), name="x.gpkg", pack="pointe")
    job = shared_server.job(asked.json()["id"])
    assert job["state"] == "failed"
    assert "root:" not in json.dumps(job)


@pytest.mark.parametrize("pack", ["france", "../x", "", ".x", "tiny"])
def test_packs_that_are_there_are_not_replaced(shared_server, pack):
    assert send(shared_server, rows(), pack=pack).status_code == 422


def test_more_than_the_limit_is_cut_off(shared_server):
    def endless():
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        yield head
        for _ in range(60):
            yield b"0" * 1_000_000
        yield b"\r\n--x--\r\n"

    with shared_server.http as client:
        answer = client.post(
            "/api/uploads?pack=grand",
            content=endless(),
            headers={"content-type": "multipart/form-data; boundary=x"},
        )
    assert answer.status_code == 413
