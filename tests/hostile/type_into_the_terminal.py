# Put characters into the terminal of the one who runs the grader.
# earns: error
import fcntl
import termios

for descriptor in (0, 1, 2):
    fcntl.ioctl(descriptor, termios.TIOCSTI, b"x")
print("REACHED")
