"""Which function belongs to which layer, by the file it is in and its name: tables, for each process there is.

Names of functions are those of Linux 6, CPython 3.11, Go, Valkey 9 and Postgres 18. What no rule names is counted as "others", so a table
that has grown old shows it by itself.
"""

import re
from fnmatch import translate
from typing import Final, NamedTuple


class Rule(NamedTuple):
    """The first rule of a table counts that has both."""

    layer: str
    file: re.Pattern[str]
    symbol: re.Pattern[str]


def any_of(names: str) -> re.Pattern[str]:
    """One of some names between blanks; `*` stands for anything."""
    return re.compile("|".join(map(translate, names.split())))


def rule(layer: str, file: str, symbols: str = "*") -> Rule:
    return Rule(layer, any_of(file), any_of(symbols))


# What was asked of the kernel: by the name of any function on the way from the system call.
KERNEL: Final = {
    "kernel: send": any_of("sock_write_iter sock_sendmsg __sys_sendto __sys_sendmsg"),
    "kernel: receive": any_of("sock_read_iter sock_recvmsg __sys_recvfrom __sys_recvmsg"),
    "kernel: memory": any_of("*exc_page_fault *_sys_brk *_sys_m*map *_sys_mprotect *_sys_madvise *_sys_mremap"),
    "kernel: files": any_of("vfs_* ext4_* xfs_* btrfs_* do_fsync do_sys_open* ksys_lseek ksys_fadvise*"),
    "kernel: wait": any_of("do_epoll_* ep_* do_futex hrtimer_nanosleep do_sys_poll schedule"),
}

_LIBRARIES: Final = (
    rule("libc: memory", "*/libc[.-]* */libpthread*", "*malloc* *calloc* *realloc* _int_free* free cfree* unlink_chunk*"),
    rule("libc", "*/libc[.-]* */libm[.-]* */libpthread[.-]* */libstdc++* */libgcc_s* */ld-* [[]vdso]"),
)
_PYTHON: Final = "*/libpython3* */bin/python*"
_API: Final = (
    rule("Python: interpreter", _PYTHON, "_PyEval* PyEval* _PyFunction_Vectorcall* _PyFrame* PyFrame* *_vectorcall _PyObject_Make*"),
    rule("Python: collector", _PYTHON, "gc_* visit_* *_traverse update_refs* subtract_refs* untrack_* move_unreachable*"),
    rule("Python: memory", _PYTHON, "*[aA]lloc* *_Free *_Del _PyMem_* free_* *_GC_* _Py_NewReference _Py_ForgetReference"),
    rule("Python: objects", _PYTHON),
    *(rule(name, f"*/{name}/*") for name in ("uvloop", "httptools", "hiredis", "msgspec", "asyncpg")),
    rule("hashes, base64", "*/_blake2* */_sha* */_md5* */_hashlib* */libcrypto* */libssl* */binascii*"),
    *_LIBRARIES,
    rule("other modules", "*.so*"),
)
_GO: Final = (
    rule(
        "Go: memory",
        "*",
        "runtime.malloc* runtime.mem* runtime.scan* runtime.grey* runtime.find[Onf]* runtime.heap* runtime.*sweep* runtime.gc* "
        "runtime.wbBuf* runtime.typedmem* runtime.new* runtime.makeslice* runtime.growslice* runtime.*mcache* runtime.*mcentral* "
        "runtime.*mheap* runtime.*mspan* runtime.*spanSet* runtime.*gcWork* runtime.*HeapStats* runtime.*fixalloc*",
    ),
    rule(
        "Go: maps, strings, time",
        "*",
        "runtime.map* runtime.makemap* runtime.makechan* runtime.concat* runtime.rawstring* runtime.slicebyte* runtime.string* "
        "runtime.duff* runtime.ifaceeq runtime.conv* bytes.* strings.* strconv.* time.* internal/bytealg.* *body __vdso_*",
    ),
    rule("Go: scheduler, syscalls", "*", "runtime.* runtime/* syscall.* internal/* sync.* sync/* context.* net.* gogo"),
    rule("Go: net/http", "*", "net/* bufio.* io.* mime* path.*"),
    rule("Go: JSON", "*", "encoding/json.* reflect.* unicode*"),
    rule("Go: redigo", "*", "*redigo*"),
    rule("Go: hashes, base64", "*", "*crypto* encoding/*"),
    rule("Go: the peer", "*", "main.*"),
)
_VALKEY: Final = (
    rule(
        "Lua: calls into the server",
        "*/valkey-server",
        "VM_* scriptCall* luaServer* luaRedis* parseReply* callReply* invokeReply* freeLuaServer* module*",
    ),
    rule("Lua", "*/valkey-server", "lua*"),
    rule("append-only file", "*/valkey-server", "*[aA]ppendOnly* *[aA]of* propagate* *[sS]erverOpArray* alsoPropagate*"),
    rule(
        "connections, protocol",
        "*/valkey-server",
        "*[rR]eply* *[cC]lient* *[mM]ulti[bB]ulk* parse* *InputBuffer* ae[A-Z]* conn* *[sS]ocket* beforeSleep afterSleep",
    ),
    rule("dispatching commands", "*/valkey-server", "processCommand* lookupCommand* afterCommand call getKeys* evalGenericCommand*"),
    rule(
        "hashes, sets, counters",
        "*/valkey-server",
        "hash* dict* lp* sip* murmur* zset* zsl* set* rax* quicklist* stream* hset* hget* hmget* hdel* hincr* entry* *Command",
    ),
    rule("strings, objects", "*/valkey-server", "sds* _sds* valkey_*alloc z*alloc* zfree* *[oO]bject* *RefCount* string* *memory*"),
    rule("dispatching commands", "*/valkey-server"),
    *_LIBRARIES,
)
_POSTGRES: Final = (
    rule("WAL", "*", "*XLog* *WAL* *crc32* xlog* log_newpage*"),
    rule("index", "*", "heap_index_* _bt_* bt*_* btinsert index_* *IndexTuple* *IndexInfo FormIndexDatum uuid_cmp bottomup_* *ScanKey*"),
    rule(
        "buffers, locks",
        "*",
        "*Buffer* *LWLock* *LockAcquire* *LockRelease* Lock* hash_search* hash_bytes* smgr* md* fsm_* visibilitymap_* Pin* Unpin* pgstat* "
        "*ResourceOwner* *RefCountEntry* *GrantLock* *GrantRelationLock s_lock*",
    ),
    rule(
        "heap",
        "*",
        "heap* Heap* tts_* slot_* toast_* Page* RelationPut* nocache* fill_val TransactionId* *Xact* *xact_level *Snapshot* "
        "*ItemPointer* GlobalVis* table_* *TransactionId*",
    ),
    rule("memory", "*", "AllocSet* palloc* pfree* MemoryContext* repalloc* Generation* Bump* pstrdup* mem*@plt free@plt"),
    rule(
        "parse, plan",
        "*",
        "base_yy* core_yy* transform* parse* raw_* *_planner planner create_* add_* get_* fix_* build_* use_* fetch_* *_walker* *_mutator* "
        "expr[A-Z]* expr_setup* pg_strtok pg_plan* pg_parse* pg_rewrite* pg_analyze* *[jJ]umble* fireRIR* rewrite* _read* _copy* _equal* "
        "copyObject* bms_* stringToNode* nodeRead* AcquireExecutorLocks ScanQuery* Revalidate* GetCachedPlan* *[cC]atCache* *Catalog* "
        "lookup_type* *Relation* getRTE* *SearchPath*",
    ),
    rule("settings", "*", "*GUC* *guc* find_option set_config* ConfigOption* parse_and_validate*"),
    rule(
        "executor",
        "*",
        "Exec* Expr* standard_Executor* fmgr* Function* *Agg* *aggregate* tuplestore* tuplesort* ri_* RI_* *Trigger* array* Array* "
        "CopyArray* construct_* *AnyArray* accum* uuid* int[0-9]* text* bool* btint* json* time* pg_qsort* qsort* *Expanded* "
        "InputFunction* Receive* *Collat* CheckExpr* *TupleDesc* check_exclusion* check_stack_depth",
    ),
    rule(
        "protocol, statements",
        "*",
        "pq_* socket_* secure_* Postgres* exec_* pgss* *xact_command ReadyForQuery printtup* Portal* *WaitEvent* *Utility",
    ),
    *_LIBRARIES,
)
PROCESSES: Final = {"api": _API, "go": _GO, "redis": _VALKEY, "postgres": _POSTGRES}
