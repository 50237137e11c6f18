# Have a timer fire when the program has ended.
# earns: ok
import signal

signal.signal(signal.SIGALRM, lambda *_: print("late"))
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
