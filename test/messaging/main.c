/* messaging: the embedded messaging service, to try plateau, to test it and to measure it.
 * The order of making and freeing is the order of dependence; nothing else is global. */
#include "test/messaging/certificate.h"
#include "test/messaging/options.h"
#include "test/messaging/server.h"
#include "test/messaging/service.h"
#include "test/messaging/timers.h"
#include "test/messaging/tls.h"

#include <psa/crypto.h>
#include <stdio.h>

static bool announce(const struct options *options, const struct server *server) {
    return printf("messaging: ready %s://%s ca=%s\n", options->plain ? "http" : "https",
                  server_address(server), options->plain ? "-" : options->ca_file) > 0 &&
           fflush(stdout) == 0;
}

static int serve(const struct options *options, struct statistics *statistics, struct tls *tls) {
    struct timers *timers = timers_new();
    struct service *service = service_new(options, timers, statistics);
    struct server *server = server_new(options, timers, statistics, service, tls);
    int status = 1;

    if (server && announce(options, server)) {
        server_run(server);
        status = 0;
    }
    server_free(server);
    service_free(service);
    timers_free(timers);
    return status;
}

static int serve_tls(const struct options *options, struct statistics *statistics) {
    struct certificate *certificate;
    struct tls *tls;
    int status = 1;

    if (psa_crypto_init() != PSA_SUCCESS) {
        fprintf(stderr, "messaging: the cryptography could not be set up\n");
        return 1;
    }
    certificate = certificate_new();
    tls = certificate ? tls_new(options, certificate, statistics) : NULL;
    if (tls && certificate_write_authority(certificate, options->ca_file)) {
        status = serve(options, statistics, tls);
    }
    tls_free(tls);
    certificate_free(certificate);
    mbedtls_psa_crypto_free();
    return status;
}

int main(int count, char **arguments) {
    struct statistics statistics = {0};
    struct options options;

    switch (options_parse(&options, count, arguments)) {
    case OPTIONS_HELP:
        return 0;
    case OPTIONS_WRONG:
        return 2;
    default:
        return options.plain ? serve(&options, &statistics, NULL)
                             : serve_tls(&options, &statistics);
    }
}
