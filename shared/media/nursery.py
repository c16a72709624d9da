"""The process that bears decoder children: `python -m shared.media.nursery FD`.

It holds nothing worth stealing (started with an empty environment), has imported all that a child
needs, and forks one child for each request on the control socket. A request carries two sockets:
the child's conversation, and a *watch*. When the other end of the watch closes, the child is
killed; when the child ends, its status is written to the watch. So no child outlives its caller,
none becomes a zombie, and nobody signals a process id that may be another's by now.
"""

import contextlib
import os
import selectors
import signal
import socket
import sys

from shared.media import child

_REQUEST = b"+"


def main(control_fd: int) -> None:
    control = socket.socket(fileno=control_fd)
    wake_read, wake_write = socket.socketpair()
    wake_read.setblocking(False)
    wake_write.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to act on
    child.warm_up()
    watches: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        control.sendall(_REQUEST)  # ready
        while True:
            for key, _ in selector.select():
                if key.fileobj is control:
                    if not _bear(control, watches, selector):
                        return
                elif key.fileobj is wake_read:
                    with contextlib.suppress(BlockingIOError):
                        wake_read.recv(4096)
                elif key.data in watches:
                    selector.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)  # not yet reaped: the id is still its own
            _reap(watches, selector)


def _bear(
    control: socket.socket, watches: dict[int, socket.socket], selector: selectors.BaseSelector
) -> bool:
    """Fork one child. False when the parent has gone: every child goes too."""
    message, fds, _, _ = socket.recv_fds(control, 1, 2)
    if not message:
        for pid in watches:
            os.kill(pid, signal.SIGKILL)
        return False
    session, watch = (socket.socket(fileno=fd) for fd in fds)
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        child.live(session)
    session.close()
    watches[pid] = watch
    selector.register(watch, selectors.EVENT_READ, pid)
    return True


def _reap(watches: dict[int, socket.socket], selector: selectors.BaseSelector) -> None:
    while watches:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        watch = watches.pop(pid)
        with contextlib.suppress(KeyError):
            selector.unregister(watch)
        with contextlib.suppress(OSError):
            watch.sendall(str(os.waitstatus_to_exitcode(status)).encode())
        watch.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
