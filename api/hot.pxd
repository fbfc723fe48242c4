cimport cython

from api.patience cimport Patience
from api.plain cimport read
from api.recent cimport Recent
from checkout_core.ids cimport of_chance
from checkout_core.secrets cimport Mac

cdef object _RESERVED
cdef Py_ssize_t _ID_ENDS, KEY_MAX, HANDFUL

cdef class HotCycle:
    cdef public bint response_complete, disconnected, queued, complete, gone, late, keep_alive, retried
    cdef public object gate, shopper, named, sale, intent
    cdef public bytes body, key
    cdef public Wanted wanted

    cpdef settle(self, answer)
    cpdef too_long(self)

cdef class Wanted:
    cdef readonly object asked, sale_id, quantity, hash, sale
    cdef readonly bint is_private

    cdef of(self, tenant_id)

cdef class Desk:
    cdef public object process
    cdef readonly Recent known, bodies
    cdef object _app, _directory, _doors, _batcher, _told
    cdef dict _problems
    cdef Mac _orders, _shoppers
    cdef bytes _head, _sold_out, _before, _behind, _chance, _host, _slug
    cdef object _store
    cdef double _store_until
    cdef Py_ssize_t _drawn

    cdef bint _open(self) except -1
    @cython.locals(authorization=bytes, key=bytes, host=bytes, slug=bytes, retried=bint, cycle=HotCycle)
    cpdef HotCycle read(self, bytes data)
    @cython.locals(cycle=HotCycle, now=double)
    cpdef HotCycle cycle(self, bytes authorization, bytes key, bytes host, bytes slug, bint retried)
    cdef _shopper(self, bytes authorization)
    @cython.locals(wanted=Wanted)
    cpdef press(self, HotCycle cycle, Patience patience)
    cpdef Wanted understand(self, bytes body)
    cdef _new_id(self)
    cpdef bytes decided(self, HotCycle cycle, answer)
    @cython.locals(at=Py_ssize_t, whole=bytes, told=tuple)
    cdef bytes _reserved(self, HotCycle cycle, decision)
    cpdef bytes problem(self, error, bint keep_alive)
    cpdef bytes answer(self, int status, bytes headers, bytes body, bint keep_alive)

@cython.locals(n=Py_ssize_t)
cpdef bint is_key(bytes key) except -1
