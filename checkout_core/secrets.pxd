cdef class Mac:
    cdef object _begun

    cpdef bytes of(self, bytes message)
