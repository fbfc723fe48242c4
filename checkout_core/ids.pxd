cimport cython

@cython.locals(now_ms=cython.longlong, raw=bytearray, n=int)
cpdef of_chance(bytes ten)

cpdef of_bytes(bytes raw)
