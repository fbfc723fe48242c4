cdef class Batcher:
    cdef public object _commit
    cdef public dict _waiting, _flushing
    cdef public set _starting
    cdef Py_ssize_t _flights, _batch_max, _waiting_max
    cdef bint _closed

    cpdef enter(self, sale, intent, waiter)
