"""Compile the C module while the project is installed or packaged; without a C compiler, leave it out."""

from __future__ import annotations

import shutil
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags
from setuptools import Distribution, Extension

MODULE = "desktop_app.processing._line_feeds"
FIRST_PYTHON = (3, 11)


class CustomBuildHook(BuildHookInterface[Any]):
    """Builds the module beside its source, where an editable installation finds it too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the same for all versions
        """Compile the module, and put it into the wheel."""
        source = Path(self.root, *MODULE.split(".")).with_suffix(".c")
        for old in (*source.parent.glob(f"{source.stem}*.so"), *source.parent.glob(f"{source.stem}*.pyd")):
            old.unlink()
        # One module for all versions of Python, which a free-threaded Python does not support yet.
        is_stable = not sysconfig.get_config_var("Py_GIL_DISABLED")
        with tempfile.TemporaryDirectory() as folder:
            built = compiled(source, Path(folder), is_stable=is_stable)
            if built is None:
                self.app.display_warning("There is no C compiler with the headers of Python: lines are counted slower.")
                return
            module = source.with_name(built.name)
            shutil.copyfile(built, module)
        build_data["pure_python"] = False
        build_data["artifacts"].append(module.relative_to(self.root).as_posix())
        if is_stable:
            build_data["tag"] = f"cp{FIRST_PYTHON[0]}{FIRST_PYTHON[1]}-abi3-{next(sys_tags()).platform}"
        else:
            build_data["infer_tag"] = True


def compiled(source: Path, folder: Path, *, is_stable: bool) -> Path | None:
    """Compile a module into a folder; return its path, or None if that was not possible."""
    version = f"0x{FIRST_PYTHON[0]:02x}{FIRST_PYTHON[1]:02x}0000"
    extension = Extension(
        MODULE,
        [str(source)],
        define_macros=[("Py_LIMITED_API", version)] if is_stable else [],
        py_limited_api=is_stable,
        extra_compile_args=["/O2"] if sysconfig.get_platform().startswith("win") else ["-O3", "-g0", "-std=c11"],
        optional=True,
    )
    command = Distribution({"ext_modules": [extension]}).get_command_obj("build_ext")
    command.build_lib = command.build_temp = str(folder)
    command.ensure_finalized()
    command.run()
    return next((path for path in folder.rglob(f"{source.stem}*") if path.suffix in {".so", ".pyd"}), None)
