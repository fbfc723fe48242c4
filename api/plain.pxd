cimport cython

cdef int OTHER, AUTHORIZATION, KEY, TYPE, HOST, STORE, RETRY, LENGTH, CONNECTION, COLD
cdef int _NAME, _VISIBLE, _NOBODY, HEADERS_MAX
cdef Py_ssize_t BYTES_MAX, _LONGEST
cdef bytes FIRST, JSON, _BYTES, _KIND
cdef bytearray _PLACE
cdef list _NAMES

@cython.locals(
    size=Py_ssize_t, at=Py_ssize_t, start=Py_ssize_t, length=Py_ssize_t, kind=int, seen=int,
    authorization=bytes, key=bytes, host=bytes, store=bytes,
)
cpdef tuple read(bytes data)

@cython.locals(length=Py_ssize_t, n=Py_ssize_t, place=int, name=bytes)
cdef int _kind(bytes data, Py_ssize_t start, Py_ssize_t end) except -1

@cython.locals(n=Py_ssize_t)
cdef bint _same(bytes data, Py_ssize_t start, Py_ssize_t end, bytes word) except -1

cdef bint _stays_open(bytes data, Py_ssize_t start, Py_ssize_t end) except -1

@cython.locals(number=Py_ssize_t, at=Py_ssize_t)
cdef Py_ssize_t _number(bytes data, Py_ssize_t start, Py_ssize_t end) except -2
