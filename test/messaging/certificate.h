/* certificate: a certificate authority and one leaf certificate, new at each start (ECDSA P-256).
 * The authority's key is gone when certificate_new() returns: nobody can make a second leaf.
 * Owner: main. One thread; psa_crypto_init() comes first. */
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>

struct certificate {
    mbedtls_pk_context key; /* the leaf's */
    mbedtls_x509_crt leaf;  /* for localhost, 127.0.0.1 and ::1 */
    char authority_pem[2048];
};

/* NULL after it said on stderr what failed. */
struct certificate *certificate_new(void);
void certificate_free(struct certificate *certificate);

/* Writes the authority's certificate so that no reader ever sees half of it (a new file, renamed).
 * False after it said on stderr what failed. */
bool certificate_write_authority(const struct certificate *certificate, const char *path);
