"""Compiles the core where there is a compiler, by the types in its .pxd. TESSERA_DEBUG_BUILD=1 adds bounds and overflow checks."""

import os

from Cython.Build import cythonize
from setuptools import Extension, setup

checks = bool(os.environ.get("TESSERA_DEBUG_BUILD"))
directives = {
    "language_level": 3, "annotation_typing": False, "boundscheck": checks, "wraparound": checks, "overflowcheck": checks,
    "initializedcheck": checks,
}  # fmt: skip
MODULES = ("checkout_core.decide", "api.plain")
core = [Extension(name, [f"{name.replace('.', '/')}.py"], optional=True) for name in MODULES]
setup(ext_modules=cythonize(core, compiler_directives=directives, force=True))
