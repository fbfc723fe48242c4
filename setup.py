"""Compiles what has a .pxd, where there is a compiler, by the types in it. TESSERA_DEBUG_BUILD=1 adds bounds and overflow checks."""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

checks = dict.fromkeys(("boundscheck", "wraparound", "overflowcheck", "initializedcheck"), bool(os.environ.get("TESSERA_DEBUG_BUILD")))
core = [Extension(".".join(p.with_suffix("").parts), [str(p.with_suffix(".py"))], optional=True) for p in sorted(Path().glob("*/*.pxd"))]
setup(ext_modules=cythonize(core, compiler_directives={"language_level": 3, "annotation_typing": False, **checks}, force=True))
