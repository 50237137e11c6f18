"""Which system calls a kernel for other people's notebooks may not make, or only with some arguments."""

from __future__ import annotations

from grader.runner.inside.bpf import (
    ALLOW,
    AND,
    AND_SET,
    EINVAL,
    ENOSYS,
    EOPNOTSUPP,
    EPERM,
    EQUAL,
    ESRCH,
    INET,
    INET6,
    LOAD,
    MACHINES,
    NOTHING,
    STREAM,
    THREAD,
    TYPE_MASK,
    UNIX,
    Code,
    answer,
    any_bit,
    argument,
    filter_of,
    numbers_of,
    one_of,
    only,
    only_null,
)

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
    checks = {name: any_bit(place, _SET_ID, EPERM, ALLOW) for name, place in _MODES.items()}
    checks |= {
        "openat2": answer(ENOSYS),  # its mode cannot be seen here; libc does without
        "clone3": answer(ENOSYS),
        "ioctl": one_of(1, _TERMINAL, EPERM, ALLOW),
        "fcntl": one_of(1, _LEASES, EPERM, ALLOW),
        "clone": _threads(otherwise=ALLOW),
        "close_range": any_bit(2, _OWN_FILES, EPERM, ALLOW),
        "socket": one_of(0, (UNIX, INET, INET6), ALLOW, EOPNOTSUPP),
        "setsockopt": only(1, 1, ALLOW) + one_of(2, _BUFFERS, NOTHING, ALLOW),  # 1: SOL_SOCKET
    }
    refused, unsupported, pretended = _REFUSED, _UNSUPPORTED, ""
    if not namespaces:
        refused, unsupported, pretended = refused + _REFUSED_ALONE, unsupported + _UNSUPPORTED_ALONE, _PRETENDED
        checks |= _checks_alone(pid)
    numbers = numbers_of(_DEPENDING + _OF_ITSELF + _OF_A_CLOCK, column)
    calls = {numbers[name]: block for name, block in checks.items() if name in numbers}
    for table, said in ((pretended, NOTHING), (unsupported, EOPNOTSUPP), (refused, EPERM)):
        for name, number in numbers_of(table, column).items():
            place = _MODES.get(name)
            calls[number] = answer(said) if place is None else any_bit(place, _SET_ID, EPERM, said)
    return filter_of(architecture, calls, ALLOW)


def _checks_alone(pid: int) -> dict[str, Code]:
    """What the calls of the process `pid` depend on where no namespaces contain it."""
    stream = [(LOAD, 0, 0, argument(1)), (AND, 0, 0, TYPE_MASK), (EQUAL, 0, 1, STREAM)]
    # one that sends datagrams could name whom it sends them to, in memory that a filter does not see
    unix = [(LOAD, 0, 0, argument(0)), (EQUAL, 0, 4, UNIX), *stream, *answer(ALLOW), *answer(EOPNOTSUPP)]
    itself = (0, pid)
    return {
        "clone": _threads(otherwise=EPERM),
        "fcntl": one_of(1, (*_LEASES, *_SIGNALS), EPERM, ALLOW),
        "ioctl": one_of(1, _PLAIN_IOCTL, ALLOW, EOPNOTSUPP),
        "kill": one_of(0, (pid,), ALLOW, EPERM),
        "tgkill": one_of(0, (pid,), ALLOW, EPERM),
        "prlimit64": one_of(0, (0,), ALLOW, EPERM),
        "sendto": only_null(4),
        "socket": unix,
        "socketpair": unix,
        **dict.fromkeys(numbers_of(_OF_ITSELF, 0), one_of(0, itself, ALLOW, ESRCH)),
        "getpriority": only(0, 0, ESRCH) + one_of(1, itself, ALLOW, ESRCH),  # not a group, nor all of a user
        "ioprio_get": only(0, 1, ESRCH) + one_of(1, itself, ALLOW, ESRCH),
        "sched_getaffinity": one_of(0, itself, ALLOW, ENOSYS),  # libc asks about a thread, and does without
        "sched_getparam": one_of(0, itself, ALLOW, NOTHING),  # ZeroMQ asks about its threads, and aborts
        "sched_getscheduler": one_of(0, itself, ALLOW, NOTHING),
        **dict.fromkeys(numbers_of(_OF_A_CLOCK, 0), any_bit(0, 0x80000000, EINVAL, ALLOW)),
    }


def _threads(otherwise: int) -> Code:
    """Answer `clone`: make threads, which share their process's descriptors; processes are allowed, or not."""
    code: Code = [(LOAD, 0, 0, argument(0)), (AND_SET, 0, 1, _NEW_NAMESPACES), *answer(EPERM)]
    code += [(AND_SET, 1, 0, THREAD), *answer(otherwise)]
    return [*code, (AND_SET, 1, 0, _SAME_FILES), *answer(EPERM), *answer(ALLOW)]
