#include "lib/outcome.h"

const char *outcome_name(enum outcome outcome) {
    switch (outcome) {
    case OUTCOME_OK:
        return "ok";
    case OUTCOME_INVALID:
        return "invalid";
    case OUTCOME_TOO_LARGE:
        return "too_large";
    case OUTCOME_NO_MEMORY:
        return "no_memory";
    case OUTCOME_NOT_SENT:
        return "not_sent";
    case OUTCOME_REFUSED:
        return "refused";
    case OUTCOME_UNKNOWN:
        return "unknown";
    case OUTCOME_CANCELLED:
        return "cancelled";
    }
    return "?";
}
