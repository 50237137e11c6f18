"""Seccomp filters: which system calls a program may make, and which a kernel for other people's notebooks may not.

Made by hand, of a few hundred instructions each: see ARCHITECTURE.md. Standard library only.
"""

from __future__ import annotations

import struct

MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Column of the tables below, and the kernel's name of the architecture (AUDIT_ARCH)."""

_ALLOWED = """
read:0:63 write:1:64 readv:19:65 writev:20:66 pread64:17:67 pwrite64:18:68 close:3:57
fstat:5:80 newfstatat:262:79 stat:4:- lstat:6:- statx:332:291 lseek:8:62 poll:7:- ppoll:271:73 select:23:-
pselect6:270:72 epoll_create1:291:20 epoll_ctl:233:21 epoll_wait:232:- epoll_pwait:281:22 eventfd2:290:19
pipe:22:- pipe2:293:59 dup:32:23 dup2:33:- dup3:292:24 fsync:74:82 fdatasync:75:83 ftruncate:77:46
truncate:76:45 getdents64:217:61 getcwd:79:17 chdir:80:49 fchdir:81:50 mkdir:83:- mkdirat:258:34 rmdir:84:-
unlink:87:- unlinkat:263:35 rename:82:- renameat:264:38 renameat2:316:276 symlink:88:- symlinkat:266:36
link:86:- linkat:265:37 readlink:89:- readlinkat:267:78 open:2:- openat:257:56 creat:85:- access:21:-
faccessat:269:48 faccessat2:439:439 umask:95:166
fallocate:285:47 fadvise64:221:223 copy_file_range:326:285 sendfile:40:71 statfs:137:43 fstatfs:138:44
mmap:9:222 munmap:11:215 mprotect:10:226 mremap:25:216 madvise:28:233 mincore:27:232 msync:26:227 brk:12:214
membarrier:324:283 rt_sigaction:13:134 rt_sigprocmask:14:135 rt_sigreturn:15:139 sigaltstack:131:132
rt_sigtimedwait:128:137 rt_sigpending:127:136 rt_sigsuspend:130:133 pause:34:- alarm:37:- setitimer:38:103
getitimer:36:102 nanosleep:35:101 clock_nanosleep:230:115 clock_gettime:228:113 clock_getres:229:114
gettimeofday:96:169 time:201:- times:100:153 getrusage:98:165 getpid:39:172 gettid:186:178 getppid:110:173
getuid:102:174 geteuid:107:175 getgid:104:176 getegid:108:177 getresuid:118:148 getresgid:120:150
getgroups:115:158 getpgrp:111:- uname:63:160 sysinfo:99:179 getrandom:318:278
arch_prctl:158:- set_tid_address:218:96 set_robust_list:273:99 rseq:334:293
futex:202:98 sched_yield:24:124 sched_get_priority_max:146:125 sched_get_priority_min:147:126
getcpu:309:168 getrlimit:97:163 exit:60:93 exit_group:231:94 restart_syscall:219:128 recvfrom:45:207
wait4:61:260 waitid:247:95
"""
"""System calls that a program may make, by their numbers on x86-64 and arm64 (from the kernel's unistd headers)."""

_CHECKED = """
clone:56:220 clone3:435:435 fcntl:72:25 ioctl:16:29 prlimit64:302:261 prctl:157:167 kill:62:129 socketpair:53:199
tgkill:234:131 socket:41:198 sendto:44:206 openat2:437:437 open:2:- creat:85:- openat:257:56 chmod:90:- fchmod:91:52
fchmodat:268:53 fchmodat2:452:452 mknod:133:- mknodat:259:33 close_range:436:436 getpriority:140:141
"""
"""System calls that depend on their arguments."""

_OF_ITSELF = """
getpgid:121:155 getsid:124:156 sched_getaffinity:204:123 sched_getparam:143:121 sched_getscheduler:145:120
sched_setaffinity:203:122 get_robust_list:274:100
"""
"""What a program may ask of itself alone: the first argument is 0 or its own process."""

_NOT_SUPPORTED = """
setxattr:188:5 lsetxattr:189:6 fsetxattr:190:7 getxattr:191:8 lgetxattr:192:9 fgetxattr:193:10 listxattr:194:11
llistxattr:195:12 flistxattr:196:13 removexattr:197:14 lremovexattr:198:15 fremovexattr:199:16
"""
"""What is answered as by a file system without attributes, which whoever copies a file takes well."""

_ONLY_SAID = "flock:73:32"
"""What is answered with success and not done: a lock on a file of its own is a program's anyway, and on one of the
system's it would hold up others."""

_LOAD, _EQUAL, _AND_SET, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38
_NUMBER, _ARCHITECTURE = 0, 4
_THREAD = 0x00010000
_WHOLE_THREAD = _THREAD | 0x00000F00
"""CLONE_THREAD with CLONE_VM, _FS, _FILES and _SIGHAND: as libc makes threads, with nothing of their own."""
_UNSHARE_FILES = 2
"""CLOSE_RANGE_UNSHARE: a table of descriptors for this thread alone, and so a limit of its own."""
_REFUSED_FCNTL = (8, 10, 15, 1026)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX, F_NOTIFY: ways to have the kernel signal somebody."""
_GROW_PIPE = 1031
"""F_SETPIPE_SZ: a pipe's buffer is memory that no limit counts."""
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""
_PRCTL = (15, 16)
"""PR_SET_NAME, PR_GET_NAME."""


def _argument(place: int, high: bool = False) -> int:
    return 16 + 8 * place + (4 if high else 0)


Code = list[tuple[int, int, int, int]]
"""Instructions as in `struct sock_filter`: what to do, where to jump if so, if not, and a value."""


def _answer(answer: int) -> Code:
    return [(_RETURN, 0, 0, answer)]


def _one_of(place: int, values: tuple[int, ...], then: int, otherwise: int) -> Code:
    """Answer by whether an argument (its lower half) is one of these."""
    block = [(_LOAD, 0, 0, _argument(place))]
    block += [(_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
    return [*block, *_answer(otherwise), *_answer(then)]


def _any_bit(place: int, bits: int, then: int, otherwise: int) -> Code:
    """Answer by whether an argument (its lower half) has one of these bits."""
    return [(_LOAD, 0, 0, _argument(place)), (_AND_SET, 0, 1, bits), *_answer(then), *_answer(otherwise)]


def _all_bits(place: int, bits: int, then: int, otherwise: int) -> Code:
    """Answer by whether an argument (its lower half) has all of these bits."""
    test = [(_LOAD, 0, 0, _argument(place)), (_AND, 0, 0, bits), (_EQUAL, 0, 1, bits)]
    return [*test, *_answer(then), *_answer(otherwise)]


def _only_null(place: int) -> Code:
    """Allow it where an argument is a null pointer."""
    return [*_null(place, 1), *_answer(_ALLOW), *_answer(_EPERM)]


def _null(place: int, beyond: int) -> Code:
    """Go on where an argument is a null pointer; else skip that many instructions more."""
    halves = [(_LOAD, 0, 0, _argument(place)), (_EQUAL, 0, 2 + beyond, 0), (_LOAD, 0, 0, _argument(place, high=True))]
    return [*halves, (_EQUAL, 0, beyond, 0)]


def _filter(architecture: int, calls: dict[int, Code], otherwise: int) -> bytes:
    """A filter that answers system calls by their number; calls of another architecture are refused."""
    code: Code = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture), *_answer(_EPERM)]
    code += [(_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, 0x40000000), *_answer(_EPERM)]  # the x32 numbers of x86-64
    for number, block in calls.items():
        code += [(_EQUAL, 0, len(block), number), *block]
    code += _answer(otherwise)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _numbers(table: str, column: int) -> dict[str, int]:
    """The calls of a table that this architecture has."""
    rows = [entry.split(":") for entry in table.split()]
    return {row[0]: int(row[1 + column]) for row in rows if row[1 + column] != "-"}


def seccomp_program(pid: int, machine: str) -> bytes:
    """The filter for a program's process: the listed calls are allowed, all others answer EPERM.

    `clone` makes threads only; `clone3` answers ENOSYS, upon which libc uses `clone`; `kill` and `tgkill` reach only
    the process itself, and what asks about a process answers for itself alone; `prlimit64` only asks; `socketpair`
    makes nothing but a pair of stream sockets, and nothing is sent to an address. Modes, times and attributes of files
    stay as they are: Landlock does not cover them (see `pretending`).
    """
    column, architecture = MACHINES[machine]
    kind = [(_LOAD, 0, 0, _argument(1)), (_AND, 0, 0, _TYPE_MASK), (_EQUAL, 0, 1, _STREAM)]
    unix = [(_LOAD, 0, 0, _argument(0)), (_EQUAL, 0, 4, _UNIX), *kind]
    own = _one_of(0, (0, pid), _ALLOW, _EPERM)
    checks = {
        "clone": _all_bits(0, _WHOLE_THREAD, _ALLOW, _EPERM),
        "clone3": _answer(_ENOSYS),
        "close_range": _any_bit(2, _UNSHARE_FILES, _EPERM, _ALLOW),
        "fcntl": _one_of(1, (*_REFUSED_FCNTL, _GROW_PIPE), _EPERM, _ALLOW),
        "ioctl": _one_of(1, _IOCTL, _ALLOW, _EPERM),
        "prctl": _one_of(0, _PRCTL, _ALLOW, _EPERM),
        "kill": _one_of(0, (pid,), _ALLOW, _EPERM),
        "socketpair": [*unix, *_answer(_ALLOW), *_answer(_EPERM)],
        "sendto": _only_null(4),
        "tgkill": _one_of(0, (pid,), _ALLOW, _EPERM),
        "prlimit64": [*_null(2, len(own)), *own, *_answer(_EPERM)],
        "getpriority": _one_of(1, (0, pid), _ALLOW, _EPERM),
    }
    numbers = _numbers(_CHECKED, column)
    calls = {numbers[name]: block for name, block in checks.items()}
    calls |= dict.fromkeys(_numbers(_OF_ITSELF, column).values(), own)
    calls |= dict.fromkeys(_numbers(_ONLY_SAID, column).values(), _answer(_NOTHING))
    calls |= dict.fromkeys(_numbers(_NOT_SUPPORTED, column).values(), _answer(_EOPNOTSUPP))
    calls |= dict.fromkeys(_numbers(_ALLOWED, column).values(), _answer(_ALLOW))
    return _filter(architecture, calls, _EPERM)


_REFUSED = """
ptrace:101:117 process_vm_readv:310:270 process_vm_writev:311:271 pidfd_getfd:438:438 kcmp:312:272 mount:165:40
umount2:166:39 pivot_root:155:41 chroot:161:51 open_tree:428:428 move_mount:429:429 fsopen:430:430 fsconfig:431:431
fsmount:432:432 fspick:433:433 mount_setattr:442:442 open_tree_attr:467:467 unshare:272:97 setns:308:268
keyctl:250:219 add_key:248:217 request_key:249:218 bpf:321:280 perf_event_open:298:241 userfaultfd:323:282
io_uring_setup:425:425 io_uring_enter:426:426 io_uring_register:427:427 kexec_load:246:104 kexec_file_load:320:294
init_module:175:105 finit_module:313:273 delete_module:176:106 swapon:167:224 swapoff:168:225 reboot:169:142
acct:163:89 quotactl:179:60 quotactl_fd:443:443 name_to_handle_at:303:264 open_by_handle_at:304:265 syslog:103:116
iopl:172:- ioperm:173:- modify_ldt:154:- settimeofday:164:170 clock_settime:227:112 clock_adjtime:305:266
adjtimex:159:171 sethostname:170:161 setdomainname:171:162 vhangup:153:58 fanotify_init:300:262 fanotify_mark:301:263
migrate_pages:256:238 move_pages:279:239 personality:135:92 lookup_dcookie:212:18 uselib:134:- nfsservctl:180:42
file_setattr:469:469 inotify_init:253:- inotify_init1:294:26 inotify_add_watch:254:27 io_setup:206:0 shmget:29:194
semget:64:190 msgget:68:186 memfd_create:319:279 memfd_secret:447:447 vmsplice:278:75
"""
"""System calls that no notebook needs: other processes, mounts, namespaces, keys, the machine itself; who opens which
library (inotify); what all users of the machine share (io_setup); memory that no limit counts."""

_REFUSED_ALONE = """
fork:57:- vfork:58:- connect:42:203 tkill:200:130 pidfd_open:434:434 pidfd_send_signal:424:424 rt_sigqueueinfo:129:138
rt_tgsigqueueinfo:297:240 setpriority:141:140 sched_setattr:314:274 ioprio_set:251:30 mq_open:240:180
process_madvise:440:440 process_mrelease:448:448 sendmmsg:307:269 file_getattr:468:468
"""
"""What is refused besides where no namespaces contain a kernel: processes, other sockets, other processes."""

_UNSUPPORTED = """
setxattr:188:5 lsetxattr:189:6 fsetxattr:190:7 setxattrat:463:463 removexattr:197:14 lremovexattr:198:15
fremovexattr:199:16 removexattrat:466:466
"""
_UNSUPPORTED_ALONE = """
getxattr:191:8 lgetxattr:192:9 fgetxattr:193:10 getxattrat:464:464 listxattr:194:11 llistxattr:195:12
flistxattr:196:13 listxattrat:465:465
"""
"""What is answered as by a file system that has no attributes: whatever copies files does without."""

_PRETENDED = """
sched_setaffinity:203:122 sched_setscheduler:144:119 sched_setparam:142:118 chmod:90:- fchmod:91:52 fchmodat:268:53
fchmodat2:452:452 chown:92:- lchown:94:- fchown:93:55 fchownat:260:54 utime:132:- utimes:235:- futimesat:261:-
utimensat:280:88
"""
"""What is not done where no namespaces contain a kernel, and not refused either: ZeroMQ would abort, and what copies or
unpacks files would fail. Landlock leaves modes, owners and times of all files of its user to a kernel."""

_OF_ITSELF = """
getpgid:121:155 getsid:124:156 setpgid:109:154 sched_getattr:315:275 sched_rr_get_interval:148:127
get_robust_list:274:100
"""
"""System calls whose first argument is a process. Without namespaces there is no other for a kernel."""

_OF_A_CLOCK = "clock_gettime:228:113 clock_getres:229:114 clock_nanosleep:230:115 timer_create:222:107"
"""System calls whose first argument is a clock: a negative number is that of some process, or thread."""

_DEPENDING = """
clone:56:220 clone3:435:435 close_range:436:436 fcntl:72:25 ioctl:16:29 openat2:437:437 socket:41:198
socketpair:53:199 kill:62:129 tgkill:234:131 prlimit64:302:261 sendto:44:206 getpriority:140:141 ioprio_get:252:31
sched_getaffinity:204:123 sched_getparam:143:121 sched_getscheduler:145:120 open:2:- creat:85:- openat:257:56
chmod:90:- fchmod:91:52 fchmodat:268:53 fchmodat2:452:452 mknod:133:- mknodat:259:33 setsockopt:54:208
"""
"""System calls that a kernel may make with some arguments."""

_MODES = {"open": 2, "creat": 1, "openat": 3, "chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2,
          "mknod": 1, "mknodat": 2}  # fmt: skip
"""System calls that set a file's mode, and which of their arguments it is."""

_NEW_NAMESPACES = 0x7E020000
"""The flags of `clone` that make namespaces."""
_SAME_FILES, _OWN_FILES = 0x400, 2
"""CLONE_FILES, and CLOSE_RANGE_UNSHARE: whether threads share one table of descriptors, to which one limit applies."""
_SET_ID = 0o6000
_UNIX, _INET, _INET6, _STREAM = 1, 2, 10, 1
_TYPE_MASK = 0xF
_AND = 0x54
_ESRCH, _EINVAL, _EOPNOTSUPP, _NOTHING = 0x00050000 | 3, 0x00050000 | 22, 0x00050000 | 95, 0x00050000
_TERMINAL = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: ways to type into somebody's terminal."""
_PLAIN_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: none changes a file, as others do for its owner."""
_BUFFERS = (7, 8, 32, 33)
"""SO_SNDBUF, SO_RCVBUF and the same by force. Larger ones are memory that no limit counts; nobody depends on them."""
_LEASES = (1024, 1026)
"""F_SETLEASE and F_NOTIFY: ways to hold up whoever opens a library, and to hear of it."""
_SIGNALS = (8, 10, 15)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX: ways to have the system signal somebody."""


def kernel_program(pid: int, machine: str, namespaces: bool) -> bytes:
    """The filter for a kernel of other people's code: all calls are allowed but those listed.

    A file that runs with its owner's rights cannot be made, no namespace, no socket but Unix and internet ones; all
    threads of a process share its descriptors. Without `namespaces` around it, it makes threads but no processes,
    signals and asks about nobody else, changes no mode, owner or time of a file, and its sockets listen.
    """
    column, architecture = MACHINES[machine]
    checks = {name: _any_bit(place, _SET_ID, _EPERM, _ALLOW) for name, place in _MODES.items()}
    checks |= {
        "openat2": _answer(_ENOSYS),  # its mode cannot be seen here; libc does without
        "clone3": _answer(_ENOSYS),
        "ioctl": _one_of(1, _TERMINAL, _EPERM, _ALLOW),
        "fcntl": _one_of(1, _LEASES, _EPERM, _ALLOW),
        "clone": _threads(otherwise=_ALLOW),
        "close_range": _any_bit(2, _OWN_FILES, _EPERM, _ALLOW),
        "socket": _one_of(0, (_UNIX, _INET, _INET6), _ALLOW, _EOPNOTSUPP),
        "setsockopt": _only(1, 1, _ALLOW) + _one_of(2, _BUFFERS, _NOTHING, _ALLOW),  # 1: SOL_SOCKET
    }
    refused, unsupported, pretended = _REFUSED, _UNSUPPORTED, ""
    if not namespaces:
        refused, unsupported, pretended = refused + _REFUSED_ALONE, unsupported + _UNSUPPORTED_ALONE, _PRETENDED
        checks |= _checks_alone(pid)
    numbers = _numbers(_DEPENDING + _OF_ITSELF + _OF_A_CLOCK, column)
    calls = {numbers[name]: block for name, block in checks.items() if name in numbers}
    for table, answer in ((pretended, _NOTHING), (unsupported, _EOPNOTSUPP), (refused, _EPERM)):
        for name, number in _numbers(table, column).items():
            place = _MODES.get(name)
            calls[number] = _answer(answer) if place is None else _any_bit(place, _SET_ID, _EPERM, answer)
    return _filter(architecture, calls, _ALLOW)


def _checks_alone(pid: int) -> dict[str, Code]:
    """What the calls of the process `pid` depend on where no namespaces contain it."""
    stream = [(_LOAD, 0, 0, _argument(1)), (_AND, 0, 0, _TYPE_MASK), (_EQUAL, 0, 1, _STREAM)]
    # one that sends datagrams could name whom it sends them to, in memory that a filter does not see
    unix = [(_LOAD, 0, 0, _argument(0)), (_EQUAL, 0, 4, _UNIX), *stream, *_answer(_ALLOW), *_answer(_EOPNOTSUPP)]
    itself = (0, pid)
    return {
        "clone": _threads(otherwise=_EPERM),
        "fcntl": _one_of(1, (*_LEASES, *_SIGNALS), _EPERM, _ALLOW),
        "ioctl": _one_of(1, _PLAIN_IOCTL, _ALLOW, _EOPNOTSUPP),
        "kill": _one_of(0, (pid,), _ALLOW, _EPERM),
        "tgkill": _one_of(0, (pid,), _ALLOW, _EPERM),
        "prlimit64": _one_of(0, (0,), _ALLOW, _EPERM),
        "sendto": _only_null(4),
        "socket": unix,
        "socketpair": unix,
        **dict.fromkeys(_numbers(_OF_ITSELF, 0), _one_of(0, itself, _ALLOW, _ESRCH)),
        "getpriority": _only(0, 0, _ESRCH) + _one_of(1, itself, _ALLOW, _ESRCH),  # not a group, nor all of a user
        "ioprio_get": _only(0, 1, _ESRCH) + _one_of(1, itself, _ALLOW, _ESRCH),
        "sched_getaffinity": _one_of(0, itself, _ALLOW, _ENOSYS),  # libc asks about a thread, and does without
        "sched_getparam": _one_of(0, itself, _ALLOW, _NOTHING),  # ZeroMQ asks about its threads, and aborts
        "sched_getscheduler": _one_of(0, itself, _ALLOW, _NOTHING),
        **dict.fromkeys(_numbers(_OF_A_CLOCK, 0), _any_bit(0, 0x80000000, _EINVAL, _ALLOW)),
    }


def _only(place: int, value: int, otherwise: int) -> Code:
    """Go on where an argument (its lower half) is this value, and answer otherwise."""
    return [(_LOAD, 0, 0, _argument(place)), (_EQUAL, 1, 0, value), *_answer(otherwise)]


def _threads(otherwise: int) -> Code:
    """Answer `clone`: make threads, which share their process's descriptors; processes are allowed, or not."""
    code: Code = [(_LOAD, 0, 0, _argument(0)), (_AND_SET, 0, 1, _NEW_NAMESPACES), *_answer(_EPERM)]
    code += [(_AND_SET, 1, 0, _THREAD), *_answer(otherwise)]
    return [*code, (_AND_SET, 1, 0, _SAME_FILES), *_answer(_EPERM), *_answer(_ALLOW)]
