/* page: the inbox as a web page, of one piece: it asks nobody but its own service. */
#pragma once

#include "test/messaging/bytes.h"

/* Its Content-Security-Policy: even a text that got past the escaping could load nothing. */
extern const char page_policy[];

void page_write(struct bytes *html);
