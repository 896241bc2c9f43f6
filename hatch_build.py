"""Compile the C modules while the project is installed or packaged; without a C compiler, leave them out."""

from __future__ import annotations

import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags
from setuptools import Distribution, Extension

MODULES = [
    "desktop_app.processing._line_feeds",
    *([] if sys.platform == "win32" else ["desktop_app.sources._small_files"]),
]
FIRST_PYTHON = (3, 11)


class CustomBuildHook(BuildHookInterface[Any]):
    """Builds the modules beside their sources, where an editable installation finds them too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the same for all versions
        """Compile the modules, and put them into the wheel."""
        # One module is for all versions of Python, which a free-threaded Python does not support yet.
        is_stable = not sysconfig.get_config_var("Py_GIL_DISABLED")
        for name in MODULES:
            source = Path(self.root, *name.split(".")).with_suffix(".c")
            for old in (*source.parent.glob(f"{source.stem}*.so"), *source.parent.glob(f"{source.stem}*.pyd")):
                old.unlink()
            with tempfile.TemporaryDirectory() as folder:
                built = compiled(name, source, Path(folder), is_stable=is_stable)
                if built is None:
                    self.app.display_warning(f"{name} is left out: there is no C compiler with the headers of Python.")
                    continue
                module = source.with_name(built.name)
                shutil.copyfile(built, module)
            build_data["artifacts"].append(module.relative_to(self.root).as_posix())
            build_data["pure_python"] = False
            if is_stable:
                build_data["tag"] = f"cp{FIRST_PYTHON[0]}{FIRST_PYTHON[1]}-abi3-{next(sys_tags()).platform}"
            else:
                build_data["infer_tag"] = True


def compiled(name: str, source: Path, folder: Path, *, is_stable: bool) -> Path | None:
    """Compile a module into a folder; return its path, or None if that was not possible."""
    extension = Extension(
        name,
        [str(source)],
        define_macros=[("Py_LIMITED_API", "0x{:02x}{:02x}0000".format(*FIRST_PYTHON))] if is_stable else [],
        py_limited_api=is_stable,
        extra_compile_args=["/O2"] if sys.platform == "win32" else ["-O3", "-g0", "-Werror=implicit"],
        optional=True,
    )
    command = Distribution({"ext_modules": [extension]}).get_command_obj("build_ext")
    command.build_lib = command.build_temp = str(folder)
    command.ensure_finalized()
    command.run()
    return next((path for path in folder.rglob(f"{source.stem}*") if path.suffix in {".so", ".pyd"}), None)
