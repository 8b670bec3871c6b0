/* upstream_syscall: spares libcurl the system calls whose answer the upstream thread already knows.
 *
 * libcurl asks each connection for data once more than there is some: recv() that says EAGAIN and
 * poll() that says nothing, several a call. epoll has just told us which sockets have data; for the
 * others the answer is known. Level-triggered epoll repeats what is not read, so nothing is lost by
 * saying "not now". The linker puts these in the place of recv and poll (--wrap, see
 * CMakeLists.txt); on every other thread, and for every other socket, they only pass on. One
 * question is always asked for real: whether an idle connection is still open before a call is put
 * on it. A stale answer there would cost a message its certainty. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "lib/upstream_internal.h"

ssize_t __real_recv(int descriptor, void *buffer, size_t size, int flags);
ssize_t __wrap_recv(int descriptor, void *buffer, size_t size, int flags);
int __real_poll(struct pollfd *descriptors, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *descriptors, nfds_t count, int timeout_ms);

static _Thread_local struct upstream *own_upstream;

void syscall_on_this_thread(struct upstream *upstream) {
    own_upstream = upstream;
}

/* The socket, when it is in use by a transfer and epoll watches it for data; else NULL. */
static struct watched_socket *watched_for_data(int descriptor) {
    if (!own_upstream || descriptor < 0 || descriptor >= own_upstream->sockets_max) {
        return NULL;
    }
    struct watched_socket *watched = &own_upstream->sockets[descriptor];
    bool usable = watched->shard && watched->wanted != 0 && (watched->registered & EPOLLIN);
    return usable ? watched : NULL;
}

ssize_t __wrap_recv(int descriptor, void *buffer, size_t size, int flags) {
    struct watched_socket *watched = watched_for_data(descriptor);
    if (watched && watched->readable_round != own_upstream->round) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t got = __real_recv(descriptor, buffer, size, flags);
    /* Fewer bytes than asked for: that was all. The end of the stream (0) must stay visible. */
    if (watched && ((got > 0 && (size_t)got < size) || (got < 0 && errno == EAGAIN))) {
        watched->readable_round = own_upstream->round - 1;
    }
    return got;
}

int __wrap_poll(struct pollfd *descriptors, nfds_t count, int timeout_ms) {
    if (own_upstream && count == 1 && timeout_ms == 0 && !(descriptors[0].events & POLLOUT)) {
        struct watched_socket *watched = watched_for_data(descriptors[0].fd);
        if (watched && watched->readable_round != own_upstream->round) {
            descriptors[0].revents = 0;
            return 0;
        }
    }
    return __real_poll(descriptors, count, timeout_ms);
}
