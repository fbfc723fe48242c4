cdef class Patience:
    cdef object _loop, _now, _waiting
    cdef double _seconds

    cpdef begin(self, waits)
