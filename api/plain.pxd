cimport cython

cdef int OTHER, AUTHORIZATION, KEY, TYPE, HOST, STORE, RETRY, LENGTH, CONNECTION, COLD, _NAME, _VISIBLE, HEADERS_MAX, BYTES_MAX
cdef bytes FIRST
cdef bytes _BYTES
cdef dict _KINDS

@cython.locals(size=Py_ssize_t, at=Py_ssize_t, start=Py_ssize_t, length=Py_ssize_t, found=list, kind=object, name=bytes, digits=bytes)
cpdef read(bytes data)
