/* wake: one wake-up of a libmicrohttpd worker for many resumed connections.
 *
 * MHD_resume_connection() marks the connection and writes to the worker's eventfd, one system call
 * each. Between wake_hold() and wake_release() on a thread, its writes of eight bytes are held
 * back, and each eventfd is written to once at the end: by then all connections are marked, and the
 * worker finds them together. */
#pragma once

void wake_hold(void);
void wake_release(void);
