/* Numbers by their exact value, however they are written: no double is ever made of them. */
#include <assert.h>
#include <string.h>

#include "lib/json.h"
#include "lib/json_names.h"

/* Beyond this a difference of exponents decides, whatever the digits: they move the point by no
 * more than a number's length. */
#define EXPONENT_DECIDES (INT64_C(1) << 40)

/* 0.DIGITS times ten to the power of (point + exponent). Digits count from `first` to `end` in
 * whole and fraction put together; neither the first nor the last one is a zero. Zero has no
 * digits. */
struct decimal {
    const char *whole, *fraction, *exponent;
    int64_t whole_length, exponent_length;
    int64_t first, end;
    int64_t point;
    bool negative, exponent_negative;
};

static char digit_at(const struct decimal *decimal, int64_t i) {
    return i < decimal->whole_length ? decimal->whole[i]
                                     : decimal->fraction[i - decimal->whole_length];
}

static int64_t digits_at(const char *at, const char *end) {
    const char *start = at;
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return at - start;
}

static void read_exponent(struct decimal *decimal, const char *at, const char *end) {
    if (at < end) {
        at++;
        decimal->exponent_negative = at < end && *at == '-';
        at += at < end && (*at == '-' || *at == '+');
        while (at < end && *at == '0') {
            at++;
        }
        decimal->exponent = at;
        decimal->exponent_length = digits_at(at, end);
    }
}

static struct decimal decimal_of(const struct json *number) {
    assert(number->type == JSON_NUMBER);
    const char *at = number->bytes, *end = at + number->length;
    struct decimal decimal = {.fraction = end};
    decimal.negative = at < end && *at == '-';
    at += decimal.negative;
    decimal.whole = at;
    decimal.whole_length = digits_at(at, end);
    at += decimal.whole_length;
    int64_t digits = decimal.whole_length;
    if (at < end && *at == '.') {
        decimal.fraction = at + 1;
        digits += digits_at(at + 1, end);
        at = decimal.fraction + (digits - decimal.whole_length);
    }
    read_exponent(&decimal, at, end);
    while (decimal.first < digits && digit_at(&decimal, decimal.first) == '0') {
        decimal.first++;
    }
    decimal.end = digits;
    while (decimal.end > decimal.first && digit_at(&decimal, decimal.end - 1) == '0') {
        decimal.end--;
    }
    decimal.point = decimal.whole_length - decimal.first;
    return decimal;
}

static bool is_zero(const struct decimal *decimal) {
    return decimal->first == decimal->end;
}

static int exponent_digit(const struct decimal *decimal, int64_t place) {
    if (place >= decimal->exponent_length) {
        return 0;
    }
    int digit = decimal->exponent[decimal->exponent_length - 1 - place] - '0';
    return decimal->exponent_negative ? -digit : digit;
}

/* a's power of ten less b's. Exponents may be hundreds of digits long: they are subtracted from the
 * front, until the difference is too large to be made good again. */
static int64_t power_difference(const struct decimal *a, const struct decimal *b) {
    int64_t places =
        a->exponent_length > b->exponent_length ? a->exponent_length : b->exponent_length;
    int64_t difference = 0;
    for (int64_t place = places - 1; place >= 0; place--) {
        difference = 10 * difference + exponent_digit(a, place) - exponent_digit(b, place);
        if (difference > EXPONENT_DECIDES || difference < -EXPONENT_DECIDES) {
            break;
        }
    }
    return difference + a->point - b->point;
}

static const struct decimal no_power = {0};

static int compare_magnitudes(const struct decimal *a, const struct decimal *b) {
    int64_t difference = power_difference(a, b);
    if (difference != 0) {
        return difference < 0 ? -1 : 1;
    }
    int64_t i = a->first, j = b->first;
    while (i < a->end && j < b->end && digit_at(a, i) == digit_at(b, j)) {
        i++;
        j++;
    }
    int of_a = i < a->end ? digit_at(a, i) : 0, of_b = j < b->end ? digit_at(b, j) : 0;
    return (of_a > of_b) - (of_a < of_b);
}

int json_number_compare(const struct json *a, const struct json *b) {
    struct decimal of_a = decimal_of(a), of_b = decimal_of(b);
    int sign_of_a = is_zero(&of_a) ? 0 : of_a.negative ? -1 : 1;
    int sign_of_b = is_zero(&of_b) ? 0 : of_b.negative ? -1 : 1;
    if (sign_of_a != sign_of_b) {
        return sign_of_a < sign_of_b ? -1 : 1;
    }
    return sign_of_a == 0 ? 0 : sign_of_a * compare_magnitudes(&of_a, &of_b);
}

uint32_t json_number_digits(const struct json *number) {
    struct decimal decimal = decimal_of(number);
    return (uint32_t)(decimal.end - decimal.first);
}

bool json_number_is_whole(const struct json *number) {
    struct decimal decimal = decimal_of(number);
    return is_zero(&decimal) ||
           power_difference(&decimal, &no_power) >= decimal.end - decimal.first;
}

bool json_to_int64(const struct json *number, int64_t *value) {
    struct decimal decimal = decimal_of(number);
    if (is_zero(&decimal)) {
        *value = 0;
        return true;
    }
    int64_t places = power_difference(&decimal, &no_power); /* digits of the whole number */
    if (places < decimal.end - decimal.first || places > 19) {
        return false;
    }
    uint64_t magnitude = 0; /* 19 digits always fit */
    for (int64_t i = 0; i < places; i++) {
        int64_t at = decimal.first + i;
        char digit = at < decimal.end ? digit_at(&decimal, at) : '0';
        magnitude = magnitude * 10 + (uint64_t)(digit - '0');
    }
    uint64_t most = (uint64_t)INT64_MAX + decimal.negative;
    if (magnitude > most) {
        return false;
    }
    *value = decimal.negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

/* The digits as one whole number, modulo `divisor`; 0 stands for no modulus. */
static uint64_t digits_modulo(const struct decimal *decimal, uint64_t divisor) {
    unsigned __int128 remainder = 0;
    for (int64_t i = decimal->first; i < decimal->end; i++) {
        remainder = remainder * 10 + (unsigned)(digit_at(decimal, i) - '0');
        remainder = divisor > 0 ? remainder % divisor : remainder;
    }
    return (uint64_t)remainder;
}

bool json_number_is_multiple(const struct json *number, const struct json *divisor) {
    struct decimal a = decimal_of(number), b = decimal_of(divisor);
    assert(!is_zero(&b) && b.end - b.first <= JSON_DIVISOR_DIGITS_MAX);
    if (is_zero(&a)) {
        return true;
    }
    /* a = A * 10^x and b = B * 10^y with whole A and B that ten does not divide. The power x - y:
     */
    int64_t power = power_difference(&a, &b) - (a.end - a.first) + (b.end - b.first);
    if (power < 0) {
        return false;
    }
    uint64_t modulus = digits_modulo(&b, 0);
    /* Each power of ten takes a two and a five out of B; B has at most 60 of either. */
    for (int64_t twos = power; twos > 0 && modulus % 2 == 0; twos--) {
        modulus /= 2;
    }
    for (int64_t fives = power; fives > 0 && modulus % 5 == 0; fives--) {
        modulus /= 5;
    }
    return digits_modulo(&a, modulus) == 0;
}

/* Equal numbers have the same digits and the same power of ten, so these are what is hashed. */
uint64_t json_hash_number(const struct json *number, const uint64_t seed[2]) {
    struct decimal decimal = decimal_of(number);
    if (is_zero(&decimal)) {
        return json_hash_bytes(seed, "0", 1);
    }
    int64_t power = power_difference(&decimal, &no_power);
    /* A power this large may have been cut short, at another place for another spelling. */
    bool exact = power < EXPONENT_DECIDES / 2 && power > -EXPONENT_DECIDES / 2;
    uint64_t hash = exact ? (uint64_t)power * 2 + decimal.negative : 1;
    char piece[64];
    for (int64_t i = decimal.first; i < decimal.end;) {
        size_t used = sizeof hash;
        memcpy(piece, &hash, sizeof hash);
        while (i < decimal.end && used < sizeof piece) {
            piece[used++] = digit_at(&decimal, i++);
        }
        hash = json_hash_bytes(seed, piece, used);
    }
    return hash;
}
