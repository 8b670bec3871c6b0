#pragma once
/* client: the connections of the load generator and the loop that turns them.
 *
 * Closed loop: a connection asks again when it was answered. Owner: main; one thread. */
#include "test/bench/load/tally.h"

/* Runs until the window is over and calls in flight are answered or given up. With o->json, prints
 * {"event":"measuring"} and {"event":"measured"} on stdout, at once, where the window begins and
 * ends. False after saying on stderr what the machine refused. */
bool client_run(const struct load_options *o, struct tally *t);
