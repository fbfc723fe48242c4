"""Compiles what has a .pxd, where there is a compiler, by its types. TESSERA_DEBUG_BUILD=1 adds checks of bounds, None and overflow."""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

checks = dict.fromkeys(("boundscheck", "nonecheck", "overflowcheck"), bool(os.getenv("TESSERA_DEBUG_BUILD"))) | {"wraparound": False}
core = [Extension(".".join(p.with_suffix("").parts), [str(p.with_suffix(".py"))], optional=True) for p in sorted(Path().glob("*/*.pxd"))]
setup(ext_modules=cythonize(core, compiler_directives={"language_level": 3, "annotation_typing": False, **checks}, force=True))
