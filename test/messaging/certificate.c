#include "test/messaging/certificate.h"

#include "test/messaging/bytes.h"
#include "test/messaging/limits.h"
#include "test/messaging/memory.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/psa_util.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char authority_name[] = "O=plateau,CN=messaging test authority";
static const char leaf_name[] = "O=plateau,CN=localhost";

static bool make_key(mbedtls_pk_context *key) {
    mbedtls_pk_init(key);
    return mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0 &&
           mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key),
                               mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE) == 0;
}

/* What is common to both: who, how long, a serial number that no other has. */
static bool begin(mbedtls_x509write_cert *writing, mbedtls_pk_context *subject_key,
                  const char *subject, mbedtls_pk_context *issuer_key) {
    unsigned char serial[16];
    char from[16], until[16];
    time_t start = time(NULL) - CERTIFICATE_BACKDATE_SECONDS;
    time_t end = start + (time_t)CERTIFICATE_DAYS * 86400;
    struct tm utc;

    mbedtls_x509write_crt_init(writing);
    if (psa_generate_random(serial, sizeof serial) != PSA_SUCCESS) {
        return false;
    }
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x01); /* positive, RFC 5280 4.1.2.2 */
    strftime(from, sizeof from, "%Y%m%d%H%M%S", gmtime_r(&start, &utc));
    strftime(until, sizeof until, "%Y%m%d%H%M%S", gmtime_r(&end, &utc));
    mbedtls_x509write_crt_set_version(writing, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(writing, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(writing, subject_key);
    mbedtls_x509write_crt_set_issuer_key(writing, issuer_key);
    return mbedtls_x509write_crt_set_serial_raw(writing, serial, sizeof serial) == 0 &&
           mbedtls_x509write_crt_set_validity(writing, from, until) == 0 &&
           mbedtls_x509write_crt_set_subject_name(writing, subject) == 0 &&
           mbedtls_x509write_crt_set_issuer_name(writing, authority_name) == 0 &&
           mbedtls_x509write_crt_set_subject_key_identifier(writing) == 0 &&
           mbedtls_x509write_crt_set_authority_key_identifier(writing) == 0;
}

static bool end(mbedtls_x509write_cert *writing, char *pem, size_t size) {
    return mbedtls_x509write_crt_pem(writing, (unsigned char *)pem, size, mbedtls_psa_get_random,
                                     MBEDTLS_PSA_RANDOM_STATE) == 0;
}

static bool write_authority(mbedtls_pk_context *key, char *pem, size_t size) {
    mbedtls_x509write_cert writing;
    bool ok = begin(&writing, key, authority_name, key) &&
              mbedtls_x509write_crt_set_basic_constraints(&writing, 1, 0) == 0 &&
              mbedtls_x509write_crt_set_key_usage(&writing, MBEDTLS_X509_KU_KEY_CERT_SIGN |
                                                                MBEDTLS_X509_KU_CRL_SIGN) == 0 &&
              end(&writing, pem, size);

    mbedtls_x509write_crt_free(&writing);
    return ok;
}

static mbedtls_x509_san_list san(int type, const char *value, size_t size,
                                 mbedtls_x509_san_list *next) {
    mbedtls_x509_san_list item = {.next = next};

    item.node.type = type;
    item.node.san.unstructured_name.p = (unsigned char *)(uintptr_t)value;
    item.node.san.unstructured_name.len = size;
    return item;
}

static bool set_names(mbedtls_x509write_cert *writing) {
    static const char v4[4] = {127, 0, 0, 1}, v6[16] = {[15] = 1}, host[] = "localhost";
    mbedtls_x509_san_list third = san(MBEDTLS_X509_SAN_IP_ADDRESS, v6, sizeof v6, NULL);
    mbedtls_x509_san_list second = san(MBEDTLS_X509_SAN_IP_ADDRESS, v4, sizeof v4, &third);
    mbedtls_x509_san_list first = san(MBEDTLS_X509_SAN_DNS_NAME, host, strlen(host), &second);

    return mbedtls_x509write_crt_set_subject_alternative_name(writing, &first) == 0;
}

static bool set_purpose(mbedtls_x509write_cert *writing) {
    mbedtls_asn1_sequence server = {0};

    server.buf.tag = MBEDTLS_ASN1_OID;
    server.buf.p = (unsigned char *)(uintptr_t)MBEDTLS_OID_SERVER_AUTH;
    server.buf.len = MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH);
    return mbedtls_x509write_crt_set_basic_constraints(writing, 0, -1) == 0 &&
           mbedtls_x509write_crt_set_key_usage(writing, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0 &&
           mbedtls_x509write_crt_set_ext_key_usage(writing, &server) == 0;
}

static bool write_leaf(mbedtls_pk_context *key, mbedtls_pk_context *authority, char *pem,
                       size_t size) {
    mbedtls_x509write_cert writing;
    bool ok = begin(&writing, key, leaf_name, authority) && set_names(&writing) &&
              set_purpose(&writing) && end(&writing, pem, size);

    mbedtls_x509write_crt_free(&writing);
    return ok;
}

struct certificate *certificate_new(void) {
    struct certificate *certificate = memory_new(sizeof *certificate);
    mbedtls_pk_context authority;
    char pem[2048];
    bool ok;

    mbedtls_pk_init(&certificate->key);
    mbedtls_x509_crt_init(&certificate->leaf);
    ok = make_key(&authority) && make_key(&certificate->key) &&
         write_authority(&authority, certificate->authority_pem,
                         sizeof certificate->authority_pem) &&
         write_leaf(&certificate->key, &authority, pem, sizeof pem) &&
         mbedtls_x509_crt_parse(&certificate->leaf, (unsigned char *)pem, strlen(pem) + 1) == 0;
    mbedtls_pk_free(&authority);
    if (!ok) {
        fprintf(stderr, "messaging: no certificate could be made\n");
        certificate_free(certificate);
        return NULL;
    }
    return certificate;
}

void certificate_free(struct certificate *certificate) {
    if (certificate) {
        mbedtls_x509_crt_free(&certificate->leaf);
        mbedtls_pk_free(&certificate->key);
        free(certificate);
    }
}

static bool write_file(const char *path, const char *content) {
    FILE *file = fopen(path, "we");
    bool ok;

    if (!file) {
        return false;
    }
    ok = fputs(content, file) >= 0;
    return fclose(file) == 0 && ok;
}

bool certificate_write_authority(const struct certificate *certificate, const char *path) {
    struct bytes draft = {0};
    bool ok;

    bytes_format(&draft, "%s.%ld.tmp", path, (long)getpid());
    ok = write_file(draft.data, certificate->authority_pem) && rename(draft.data, path) == 0;
    if (!ok) {
        fprintf(stderr, "messaging: --ca %s could not be written: %s\n", path, strerror(errno));
        unlink(draft.data);
    }
    bytes_free(&draft);
    return ok;
}
