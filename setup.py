"""Compiles what has a .pxd, where there is a compiler, by the types in it. TESSERA_DEBUG_BUILD=1 adds bounds and overflow checks."""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

checks = bool(os.environ.get("TESSERA_DEBUG_BUILD"))
directives = {
    "language_level": 3, "annotation_typing": False, "boundscheck": checks, "wraparound": checks, "overflowcheck": checks,
    "initializedcheck": checks,
}  # fmt: skip
core = [
    Extension(".".join(path.with_suffix("").parts), [str(path.with_suffix(".py"))], optional=True)
    for path in sorted(Path().glob("*/*.pxd"))
]
setup(ext_modules=cythonize(core, compiler_directives=directives, force=True))
