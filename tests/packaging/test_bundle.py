"""The contents of the frozen program, and its bill of materials."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from resources.packaging import bill
from resources.packaging.bundle import is_needed, needed, reached, whole

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ("botocore/data/sqs/2012-11-05/service-2.json.gz", True),
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", False),
        ("botocore/data/endpoints.json", True),
        ("boto3/data/ec2/2016-11-15/resources-1.json", False),
        ("botocore\\data\\ec2\\2016-11-15\\service-2.json.gz", False),
        ("PySide6/Qt/translations/qtbase_de.qm", True),
        ("PySide6/Qt/translations/qtbase_fr.qm", False),
        ("PySide6/translations/qt_de.qm", False),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6/plugins/platforms/qwindows.dll", True),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", False),
        ("PySide6/Qt/plugins/imageformats/libqwebp.so", False),
        ("PySide6/Qt/plugins/iconengines/libqsvgicon.so", True),
        ("resources/translations/filemill_de.qm", True),
        ("resources/style.qss", True),
        ("resources/help/de.html", True),
        ("filemill-0.1.0.dist-info/METADATA", True),
        ("filemill-0.1.0.dist-info/RECORD", True),
        ("filemill-0.1.0.dist-info/licenses/LICENSE", True),
        ("filemill-0.1.0.dist-info/direct_url.json", False),
        ("boto3-1.44.8.dist-info/INSTALLER", False),
        ("resources/icons/controls/check-light.svg", True),
        ("resources/icons/app/filemill-256.png", False),
        ("resources/icons/build.py", False),
        ("desktop_app/store/migrations/0001_initial.py", True),
        ("desktop_app/store/migrations/__pycache__/0001_initial.cpython-311.pyc", False),
    ],
)
def test_bundle_contains_the_needed_files(place: str, wanted: bool) -> None:
    assert is_needed(place) is wanted
    assert needed([(place, "/x", "DATA")]) == ([(place, "/x", "DATA")] if wanted else [])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep all libraries")
def test_libraries_needed_only_by_left_out_files_are_left_out_too() -> None:
    asks = {"/py/a.so": ["libone.so.1", "libc.so.6"], "/lib/libone.so.1": ["libtwo.so.2"], "/lib/libgtk.so.3": []}
    entries = [
        ("pkg/a.so", "/py/a.so", "EXTENSION"),
        ("libone.so.1", "/lib/libone.so.1", "BINARY"),
        ("libtwo.so.2", "/lib/libtwo.so.2", "BINARY"),
        ("libgtk.so.3", "/lib/libgtk.so.3", "BINARY"),
        ("libpython3.11.so.1.0", "/lib/libpython3.11.so.1.0", "BINARY"),
    ]
    kept = reached(entries, lambda file: asks.get(file, []))
    assert [entry[0] for entry in kept] == ["pkg/a.so", "libone.so.1", "libtwo.so.2", "libpython3.11.so.1.0"]


def test_links_to_left_out_files_are_left_out_too() -> None:
    here = ("libQt6Core.so.6", "PySide6/Qt/lib/libQt6Core.so.6", "SYMLINK")
    gone = ("libQt6EglFS.so.6", "PySide6/Qt/lib/libQt6EglFS.so.6", "SYMLINK")
    assert whole([here, gone], [("PySide6/Qt/lib/libQt6Core.so.6", "/x", "BINARY")]) == [here]


def test_library_without_a_known_licence_stops_the_build(tmp_path: Path) -> None:
    inside = tmp_path / "_internal"
    inside.mkdir()
    for name in ("libz.so.1", "libQt6Core.so.6", "_cffi_backend.cpython-311-x86_64-linux-gnu.so", "base_library.zip"):
        (inside / name).touch()
    assert [part.name for part in bill.libraries(tmp_path)] == ["Qt", "zlib"]
    (inside / "libreadline.so.8").touch()
    with pytest.raises(LookupError, match=r"libreadline\.so\.8"):
        bill.libraries(tmp_path)


def test_bill_contains_filemills_dependencies_without_build_tools() -> None:
    made = bill._without_tools(
        {
            "metadata": {"component": {"bom-ref": "root"}},
            "components": [
                {"bom-ref": ref}
                for ref in ("boto3==1", "urllib3==2", "pyinstaller==6", "altgraph==1", "pillow==1", "setuptools==1")
            ],
            "dependencies": [
                {"ref": "root", "dependsOn": ["boto3==1", "pyinstaller==6", "pillow==1"]},
                {"ref": "pillow==1", "dependsOn": ["setuptools==1"]},
                {"ref": "setuptools==1"},
                {"ref": "boto3==1", "dependsOn": ["urllib3==2"]},
                {"ref": "urllib3==2"},
                {"ref": "pyinstaller==6", "dependsOn": ["altgraph==1"]},
                {"ref": "altgraph==1"},
            ],
        }
    )
    assert [part["bom-ref"] for part in made["components"]] == ["boto3==1", "urllib3==2", "pyinstaller==6", "pillow==1"]
    assert made["dependencies"][0]["dependsOn"] == ["boto3==1", "pyinstaller==6", "pillow==1"]
