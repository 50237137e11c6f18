"""Which system calls a program may make, and with which arguments."""

from __future__ import annotations

from grader.runner.inside.bpf import (
    ALLOW,
    AND,
    EINVAL,
    ENOSYS,
    EOPNOTSUPP,
    EPERM,
    EQUAL,
    LOAD,
    MACHINES,
    NOTHING,
    STREAM,
    THREAD,
    TYPE_MASK,
    UNIX,
    all_bits,
    answer,
    any_bit,
    argument,
    filter_of,
    null_then,
    numbers_of,
    one_of,
    only_null,
)

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
getitimer:36:102 nanosleep:35:101
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

_OF_A_CLOCK = "clock_gettime:228:113 clock_getres:229:114 clock_nanosleep:230:115"
"""System calls whose first argument is a clock: a negative number is that of some process."""

_NOT_SUPPORTED = """
setxattr:188:5 lsetxattr:189:6 fsetxattr:190:7 getxattr:191:8 lgetxattr:192:9 fgetxattr:193:10 listxattr:194:11
llistxattr:195:12 flistxattr:196:13 removexattr:197:14 lremovexattr:198:15 fremovexattr:199:16
"""
"""What is answered as by a file system without attributes, which whoever copies a file takes well."""

_ONLY_SAID = "flock:73:32"
"""What is answered with success and not done: a lock on a file of its own is a program's anyway, and on one of the
system's it would hold up others."""

_WHOLE_THREAD = THREAD | 0x00000F00
"""CLONE_THREAD with CLONE_VM, _FS, _FILES and _SIGHAND: as libc makes threads, with nothing of their own."""
_UNSHARE_FILES = 2
"""CLOSE_RANGE_UNSHARE: a table of descriptors for this thread alone, and so a limit of its own."""
_REFUSED_FCNTL = (8, 10, 15, 1024, 1026, 1031)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX: ways to have the kernel signal somebody. F_SETLEASE, F_NOTIFY: ways to hold up
whoever opens a library, and to hear of it. F_SETPIPE_SZ: a pipe's buffer is memory that no limit counts."""
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""
_PRCTL = (15, 16)
"""PR_SET_NAME, PR_GET_NAME."""


def seccomp_program(pid: int, machine: str) -> bytes:
    """The filter for a program's process: the listed calls are allowed, all others answer EPERM.

    `clone` makes threads only; `clone3` answers ENOSYS, upon which libc uses `clone`; `kill` and `tgkill` reach only
    the process itself, and what asks about a process answers for itself alone; `prlimit64` only asks; `socketpair`
    makes nothing but a pair of stream sockets, and nothing is sent to an address. Modes, times and attributes of files
    stay as they are: Landlock does not cover them (see `pretending`).
    """
    column, architecture = MACHINES[machine]
    kind = [(LOAD, 0, 0, argument(1)), (AND, 0, 0, TYPE_MASK), (EQUAL, 0, 1, STREAM)]
    unix = [(LOAD, 0, 0, argument(0)), (EQUAL, 0, 4, UNIX), *kind]
    own = one_of(0, (0, pid), ALLOW, EPERM)
    checks = {
        "clone": all_bits(0, _WHOLE_THREAD, ALLOW, EPERM),
        "clone3": answer(ENOSYS),
        "close_range": any_bit(2, _UNSHARE_FILES, EPERM, ALLOW),
        "fcntl": one_of(1, _REFUSED_FCNTL, EPERM, ALLOW),
        "ioctl": one_of(1, _IOCTL, ALLOW, EPERM),
        "prctl": one_of(0, _PRCTL, ALLOW, EPERM),
        "kill": one_of(0, (pid,), ALLOW, EPERM),
        "socketpair": [*unix, *answer(ALLOW), *answer(EPERM)],
        "sendto": only_null(4),
        "tgkill": one_of(0, (pid,), ALLOW, EPERM),
        "prlimit64": [*null_then(2, len(own)), *own, *answer(EPERM)],
        "getpriority": one_of(1, (0, pid), ALLOW, EPERM),
    }
    numbers = numbers_of(_CHECKED, column)
    calls = {numbers[name]: block for name, block in checks.items()}
    calls |= dict.fromkeys(numbers_of(_OF_ITSELF, column).values(), own)
    calls |= dict.fromkeys(numbers_of(_OF_A_CLOCK, column).values(), any_bit(0, 0x80000000, EINVAL, ALLOW))
    calls |= dict.fromkeys(numbers_of(_ONLY_SAID, column).values(), answer(NOTHING))
    calls |= dict.fromkeys(numbers_of(_NOT_SUPPORTED, column).values(), answer(EOPNOTSUPP))
    calls |= dict.fromkeys(numbers_of(_ALLOWED, column).values(), answer(ALLOW))
    return filter_of(architecture, calls, EPERM)
