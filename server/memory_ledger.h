/* memory_ledger: fills the ledger from everything that holds memory in this process. */
#pragma once

#include "lib/ledger.h"
#include "server/server.h"

/* One malloc arena for all threads: the C library's memory is then one piece that can be measured,
 * and what one thread freed serves the others. Before any thread is started. */
void memory_ledger_prepare(void);

/* Any thread; takes the locks of the pools for a moment each. */
void memory_ledger_read(const struct server *server, struct ledger *ledger);
