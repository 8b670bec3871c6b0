/* From ECMA-262 to PCRE2, in one pass over the expression. */
#include <stdbool.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/schema_pattern.h"

/* WhiteSpace and LineTerminator of ECMA-262 sections 12.2 and 12.3, and everything else, for use
 * within [ ]. */
#define SPACE_CLASS                                                                                \
    "\\x{9}-\\x{d} \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}"        \
    "\\x{3000}\\x{feff}"
#define NO_SPACE_CLASS                                                                             \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}"  \
    "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}"                 \
    "\\x{ff00}-\\x{10ffff}"

struct rewriter {
    struct text *to;
    const char *at, *end;
    bool in_class;
    struct problem *problem;
};

static bool refuse(struct rewriter *rewriter, const char *text) {
    problem_set(rewriter->problem, "is no regular expression of ECMA-262: %s", text);
    return false;
}

/* Long names of general categories (Unicode TR18 1.2), which PCRE2 knows by their short ones only.
 */
static const char *short_category(const char *name, size_t length) {
    static const struct {
        const char *name, *category;
    } categories[] = {
        {"Letter", "L"},
        {"Cased_Letter", "L&"},
        {"LC", "L&"},
        {"Uppercase_Letter", "Lu"},
        {"Lowercase_Letter", "Ll"},
        {"Titlecase_Letter", "Lt"},
        {"Modifier_Letter", "Lm"},
        {"Other_Letter", "Lo"},
        {"Mark", "M"},
        {"Combining_Mark", "M"},
        {"Nonspacing_Mark", "Mn"},
        {"Spacing_Mark", "Mc"},
        {"Enclosing_Mark", "Me"},
        {"Number", "N"},
        {"Decimal_Number", "Nd"},
        {"digit", "Nd"},
        {"Letter_Number", "Nl"},
        {"Other_Number", "No"},
        {"Punctuation", "P"},
        {"punct", "P"},
        {"Connector_Punctuation", "Pc"},
        {"Dash_Punctuation", "Pd"},
        {"Open_Punctuation", "Ps"},
        {"Close_Punctuation", "Pe"},
        {"Initial_Punctuation", "Pi"},
        {"Final_Punctuation", "Pf"},
        {"Other_Punctuation", "Po"},
        {"Symbol", "S"},
        {"Math_Symbol", "Sm"},
        {"Currency_Symbol", "Sc"},
        {"Modifier_Symbol", "Sk"},
        {"Other_Symbol", "So"},
        {"Separator", "Z"},
        {"Space_Separator", "Zs"},
        {"Line_Separator", "Zl"},
        {"Paragraph_Separator", "Zp"},
        {"Other", "C"},
        {"Control", "Cc"},
        {"cntrl", "Cc"},
        {"Format", "Cf"},
        {"Surrogate", "Cs"},
        {"Private_Use", "Co"},
        {"Unassigned", "Cn"},
    };
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++) {
        if (strlen(categories[i].name) == length && memcmp(categories[i].name, name, length) == 0) {
            return categories[i].category;
        }
    }
    return NULL;
}

static bool starts_with(const char *at, const char *end, const char *start) {
    size_t length = strlen(start);
    return (size_t)(end - at) >= length && memcmp(at, start, length) == 0;
}

/* \p{Name}, \p{General_Category=Name}, \p{Script=Name} and their \P. */
static bool rewrite_property(struct rewriter *rewriter, char letter) {
    const char *name = rewriter->at + 1;
    const char *close =
        name < rewriter->end ? memchr(name, '}', (size_t)(rewriter->end - name)) : NULL;
    if (!close || *rewriter->at != '{') {
        return refuse(rewriter, "\\p must be followed by {a property}");
    }
    static const char *const categories[] = {"General_Category=", "gc="};
    for (size_t i = 0; i < 2; i++) {
        name += starts_with(name, close, categories[i]) ? strlen(categories[i]) : 0;
    }
    const char *category = short_category(name, (size_t)(close - name));
    text_add(rewriter->to, (const char[]){'\\', letter, '{'}, 3);
    if (category) {
        text_add_string(rewriter->to, category);
    } else if (starts_with(name, close, "Script=")) {
        text_add_string(rewriter->to, "sc=");
        text_add(rewriter->to, name + 7, (size_t)(close - name) - 7);
    } else {
        text_add(rewriter->to, name, (size_t)(close - name));
    }
    text_add_char(rewriter->to, '}');
    rewriter->at = close + 1;
    return true;
}

/* Up to `digits_max` hexadecimal digits at `*at`; how many there are. */
static unsigned hexadecimal(const char **at, const char *end, unsigned digits_max,
                            uint32_t *value) {
    unsigned digits = 0;
    *value = 0;
    for (; *at < end && digits < digits_max; (*at)++, digits++) {
        char digit = **at;
        if (digit >= '0' && digit <= '9') {
            *value = *value * 16 + (uint32_t)(digit - '0');
        } else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f') {
            *value = *value * 16 + (uint32_t)((digit | 0x20) - 'a') + 10;
        } else {
            break;
        }
    }
    return digits;
}

static bool add_character(struct rewriter *rewriter, uint32_t character) {
    text_add_format(rewriter->to, "\\x{%x}", character);
    return true;
}

/* \xHH, \uHHHH (two of them for what is above U+FFFF) and \u{H...}; `at` stands behind the letter.
 */
static bool rewrite_code(struct rewriter *rewriter, char letter) {
    const char *at = rewriter->at, *end = rewriter->end;
    bool braces = letter == 'u' && at < end && *at == '{';
    at += braces;
    uint32_t character, low;
    unsigned digits = hexadecimal(&at, end, braces ? 6 : letter == 'u' ? 4 : 2, &character);
    if (braces ? digits == 0 || at == end || *at != '}' : digits < (letter == 'u' ? 4u : 2u)) {
        return refuse(rewriter, "hexadecimal digits are missing behind \\x or \\u");
    }
    at += braces;
    rewriter->at = at;
    if (!braces && (character & 0xFC00) == 0xD800 && starts_with(at, end, "\\u")) {
        at += 2;
        if (hexadecimal(&at, end, 4, &low) == 4 && (low & 0xFC00) == 0xDC00) {
            rewriter->at = at;
            character = 0x10000 + ((character & 0x3FF) << 10) + (low & 0x3FF);
        }
    }
    return add_character(rewriter, character);
}

static bool rewrite_escape(struct rewriter *rewriter) {
    rewriter->at++;
    if (rewriter->at == rewriter->end) {
        return refuse(rewriter, "it ends in a backslash");
    }
    char letter = *rewriter->at++;
    bool class = rewriter->in_class;
    switch (letter) {
    case 's':
        text_add_string(rewriter->to, class ? SPACE_CLASS : "[" SPACE_CLASS "]");
        return true;
    case 'S':
        text_add_string(rewriter->to, class ? NO_SPACE_CLASS : "[" NO_SPACE_CLASS "]");
        return true;
    case 'v':
        return add_character(rewriter, '\v');
    case 'p':
    case 'P':
        return rewrite_property(rewriter, letter);
    case 'x':
    case 'u':
        return rewrite_code(rewriter, letter);
    default:
        break;
    }
    bool alphabetic = (letter | 0x20) >= 'a' && (letter | 0x20) <= 'z';
    if (alphabetic && !strchr(class ? "bcdDfnrtwW" : "bBcdDfknrtwW", letter)) {
        return refuse(rewriter, "it has an escape that is none");
    }
    text_add(rewriter->to, (const char[]){'\\', letter}, 2);
    return true;
}

/* What may stand behind "(": a group's start, or its content. */
static bool check_group(struct rewriter *rewriter) {
    const char *at = rewriter->at + 1, *end = rewriter->end;
    if (at < end && *at == '*') {
        return refuse(rewriter, "nothing stands before a *");
    }
    if (at == end || *at != '?') {
        return true;
    }
    static const char *const starts[] = {"?:", "?=", "?!", "?<=", "?<!"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (starts_with(at, end, starts[i])) {
            return true;
        }
    }
    bool named = starts_with(at, end, "?<") && at + 2 < end &&
                 ((at[2] | 0x20) >= 'a' ? (at[2] | 0x20) <= 'z' : at[2] == '_');
    return named || refuse(rewriter, "it has a kind of group that is none");
}

enum outcome schema_pattern_rewrite(struct text *rewritten, const char *source, size_t length,
                                    struct problem *problem) {
    struct rewriter rewriter = {
        .to = rewritten, .at = source, .end = source + length, .problem = problem};
    while (rewriter.at < rewriter.end) {
        char byte = *rewriter.at;
        if (byte == '\\') {
            if (!rewrite_escape(&rewriter)) {
                return OUTCOME_INVALID;
            }
            continue;
        }
        if (rewriter.in_class && byte == '[') {
            text_add_char(rewritten, '\\'); /* PCRE2 would look for [:alpha:] */
        } else if (byte == '[') {
            rewriter.in_class = true;
        } else if (byte == ']') {
            rewriter.in_class = false;
        } else if (byte == '(' && !rewriter.in_class && !check_group(&rewriter)) {
            return OUTCOME_INVALID;
        }
        text_add_char(rewritten, byte);
        rewriter.at++;
    }
    return text_failed(rewritten) ? OUTCOME_NO_MEMORY : OUTCOME_OK;
}
