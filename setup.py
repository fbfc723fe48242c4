"""Compiles the core where there is a compiler, by the types in its .pxd. TESSERA_DEBUG_BUILD=1 adds bounds and overflow checks."""

import os

from Cython.Build import cythonize
from setuptools import Extension, setup

checks = bool(os.environ.get("TESSERA_DEBUG_BUILD"))
directives = {"language_level": 3, "annotation_typing": False, "boundscheck": checks, "overflowcheck": checks, "initializedcheck": checks}
core = [Extension("checkout_core.decide", ["checkout_core/decide.py"], optional=True)]
setup(ext_modules=cythonize(core, compiler_directives=directives, force=True))
