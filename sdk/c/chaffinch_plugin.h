/* The contract between Chaffinch and a detector in C or C++, version 7.
 *
 * Services are only ever added at the end of chaffinch_host: a library that was built with an older header goes on working.
 *
 * A detector is a shared library that exports one table, CHAFFINCH_PLUGIN. Chaffinch loads it into a process of its own and
 * calls `run` with a table of functions. Memory is never freed on the other side: what Chaffinch lends is valid until `run`
 * returns, and a detector writes its results through `issue` and `scores`.
 *
 * A score is a finite number from 0 to 1: 0 = surely an issue, 1 = surely fine. Samples below the threshold are flagged.
 */
#ifndef CHAFFINCH_PLUGIN_H
#define CHAFFINCH_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CHAFFINCH_ABI 7
/* The label of a sample without one, and "none" in every other field of this type. */
#define CHAFFINCH_NONE UINT32_MAX

/* Text in UTF-8, without a zero at its end. */
typedef struct { const uint8_t *ptr; size_t len; } chaffinch_str;
#define CHAFFINCH_STR(text) { (const uint8_t *)(text), sizeof(text) - 1 }

/* How a call ended; anything but OK has a message: HostTable.message. */
typedef uint32_t chaffinch_status;
#define CHAFFINCH_OK 0u
#define CHAFFINCH_ERROR 1u      /* failed; say why with `fail` before `run` returns it */
#define CHAFFINCH_STOPPED 3u    /* the user requested a stop */
#define CHAFFINCH_MISSING 4u    /* the model or the dataset does not have what was requested */

/* What a detector needs, to be combined with |. A request without its need is refused. */
#define CHAFFINCH_PIXELS 1u
#define CHAFFINCH_EMBEDDINGS 2u
#define CHAFFINCH_NEIGHBORS 4u
#define CHAFFINCH_TEXTS 8u
#define CHAFFINCH_HASHES 16u
#define CHAFFINCH_LABELS 32u
#define CHAFFINCH_PROBABILITIES 64u
#define CHAFFINCH_DECISIONS 128u

typedef struct { const uint8_t *ptr; size_t len; } chaffinch_u8s;
typedef struct { const uint32_t *ptr; size_t len; } chaffinch_u32s;
typedef struct { const uint64_t *ptr; size_t len; } chaffinch_u64s;
typedef struct { const float *ptr; size_t len; } chaffinch_f32s;
typedef struct { const double *ptr; size_t len; } chaffinch_f64s;
typedef struct { const chaffinch_str *ptr; size_t len; } chaffinch_strs;

typedef enum { CHAFFINCH_NUMBER, CHAFFINCH_INTEGER, CHAFFINCH_FLAG, CHAFFINCH_CHOICE } chaffinch_kind;

typedef struct {
    chaffinch_str name;
    chaffinch_str help;
    uint32_t kind;              /* chaffinch_kind */
    uint32_t needs;             /* further needs if the value is not the default */
    double default_value;       /* 0 or 1 for a flag, the index for a choice */
    double min;
    double max;
    chaffinch_strs choices;
} chaffinch_param;

typedef struct { const chaffinch_param *ptr; size_t len; } chaffinch_params;

typedef struct {
    chaffinch_str name;         /* lowercase letters, digits and hyphens */
    chaffinch_str version;
    chaffinch_str summary;      /* one line that says what it finds */
    chaffinch_str docs;         /* What it finds, Why it matters, Score, Parameters, Blind spots */
    uint64_t needs;
    float threshold;            /* samples that score below this are flagged */
    uint32_t scope;             /* 0 = samples, 1 = groups of samples */
    chaffinch_params params;
    chaffinch_strs columns;     /* columns of the dataset that it requests */
    chaffinch_strs after;       /* detectors that run before it, whose scores it requests */
} chaffinch_info;

typedef struct { uint8_t bytes[32]; } chaffinch_hash;
typedef struct { const chaffinch_hash *ptr; size_t len; } chaffinch_hash_list;
typedef struct { uint32_t width; uint32_t height; uint64_t bytes; } chaffinch_dimensions;
typedef struct { const chaffinch_dimensions *ptr; size_t len; } chaffinch_dimensions_list;

/* The dataset as arrays of `count` elements. */
typedef struct {
    size_t count;
    chaffinch_u32s labels;      /* CHAFFINCH_NONE where there is none */
    chaffinch_u8s splits;       /* 0 none, 1 train, 2 validation, 3 test */
    chaffinch_u8s decodable;    /* 1 where the picture could be decoded */
    chaffinch_hash_list hashes; /* of contents */
    chaffinch_dimensions_list dimensions;
    chaffinch_strs classes;     /* names by label */
    chaffinch_u8s decisions;    /* 0 nothing, 1 keep, 2 remove, 3 relabel, 4 unsure; all 0 without CHAFFINCH_DECISIONS */
    chaffinch_u32s relabels;
} chaffinch_dataset;

typedef struct { chaffinch_f32s data; size_t rows; size_t cols; } chaffinch_matrix;
typedef struct { chaffinch_u32s indices; chaffinch_f32s similarities; size_t k; } chaffinch_neighbors;
typedef struct { uint32_t first; uint32_t second; uint32_t distance; } chaffinch_hash_pair;
typedef struct { const chaffinch_hash_pair *ptr; size_t len; } chaffinch_hash_pairs;

typedef struct {
    chaffinch_matrix matrix;    /* one row for each sample, one column for each class */
    chaffinch_u32s folds;
    float inverse_temperature;
    uint32_t reserved;
} chaffinch_probabilities;

typedef struct { chaffinch_u8s bytes; uint32_t version; uint32_t reserved; } chaffinch_kept;

/* How the file stores the picture; 0 = unknown. */
typedef struct { uint32_t format; uint32_t named; uint32_t channels; uint32_t orientation; uint32_t frames; } chaffinch_source;

/* Pixels: height * width * 3 bytes, RGB, row by row. */
typedef struct {
    chaffinch_u8s rgb;
    uint32_t width;
    uint32_t height;
    uint32_t full_width;        /* in the file, before scaling */
    uint32_t full_height;
    chaffinch_source source;
} chaffinch_pixels;

typedef struct { uint32_t sample; float similarity; } chaffinch_related;
typedef struct { const chaffinch_related *ptr; size_t len; } chaffinch_related_list;

typedef struct {
    uint32_t sample;
    float score;
    uint32_t suggested;         /* a label, or CHAFFINCH_NONE */
    uint32_t group;             /* or CHAFFINCH_NONE */
    chaffinch_related_list related;
    chaffinch_str reason;       /* one sentence, or empty */
} chaffinch_issue;

/* A part of a picture in fractions of its width and height: 0 <= left < right <= 1, 0 <= top < bottom <= 1. */
typedef struct { float left; float top; float right; float bottom; chaffinch_str label; } chaffinch_region;
typedef struct { const chaffinch_region *ptr; size_t len; } chaffinch_regions;

/* Something about the dataset as a whole. */
typedef struct {
    chaffinch_str text;         /* one sentence */
    uint32_t severity;          /* 0 = worth knowing, 1 = worth a look, 2 = look before trusting the dataset */
    uint32_t reserved;
    chaffinch_u32s evidence;    /* samples that show it */
} chaffinch_finding;

/* Receives the pixels of one sample; may be called from several threads at once. */
typedef chaffinch_status (*chaffinch_sink)(void *sink, uint32_t sample, const chaffinch_pixels *pixels);

/* What Chaffinch does for a detector. The first argument of every function is `ctx`. All may be called from any thread. */
typedef struct {
    uint32_t abi;
    uint32_t size;
    void *ctx;
    void (*log)(void *ctx, uint32_t level, chaffinch_str text); /* 0 debug, 1 info, 2 warning, 3 error */
    void (*fail)(void *ctx, chaffinch_str message);
    chaffinch_str (*message)(void *ctx);                        /* of the last error on this thread */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    uint32_t (*stopped)(void *ctx);                             /* 1 if the user requested a stop */
    chaffinch_status (*number)(void *ctx, chaffinch_str parameter, double *value);
    chaffinch_status (*dataset)(void *ctx, chaffinch_dataset *out);
    chaffinch_status (*embeddings)(void *ctx, chaffinch_matrix *out);
    chaffinch_status (*neighbors)(void *ctx, size_t k, chaffinch_neighbors *out);
    /* Cosines of all samples with vectors: out[sample * count + vector]. */
    chaffinch_status (*similarities)(void *ctx, const float *vectors, size_t count, float *out, size_t len);
    chaffinch_status (*block)(void *ctx, chaffinch_u32s rows, chaffinch_u32s cols, float *out, size_t len);
    chaffinch_status (*embed_texts)(void *ctx, chaffinch_strs texts, float *out, size_t len);
    chaffinch_status (*model)(void *ctx, size_t *dimension, float *logit_scale);
    chaffinch_status (*prompts)(void *ctx, uint32_t label, chaffinch_strs *out);
    chaffinch_status (*hashes)(void *ctx, uint32_t kind, chaffinch_u64s *out); /* 0 pHash, 1 dHash */
    chaffinch_status (*near_hashes)(void *ctx, uint32_t kind, uint32_t radius, chaffinch_hash_pairs *out);
    chaffinch_status (*pixels)(void *ctx, uint32_t sample, uint32_t max_side, void *sink, chaffinch_sink receive);
    chaffinch_status (*each_pixels)(void *ctx, uint32_t max_side, void *sink, chaffinch_sink receive);
    chaffinch_status (*issue)(void *ctx, const chaffinch_issue *issue);
    chaffinch_status (*scores)(void *ctx, chaffinch_f32s scores);              /* of all samples, NAN = none */
    chaffinch_status (*note)(void *ctx, chaffinch_str name, chaffinch_str text);
    chaffinch_status (*probabilities)(void *ctx, chaffinch_probabilities *out);
    chaffinch_status (*kept)(void *ctx, chaffinch_str name, uint32_t version, chaffinch_kept *out);
    chaffinch_status (*keep)(void *ctx, chaffinch_str name, chaffinch_u8s bytes, uint32_t *version);
    chaffinch_status (*measures)(void *ctx, chaffinch_u8s *out);
    /* Since 7: a column as texts (empty = none), as numbers (NAN = none), and as labels (CHAFFINCH_NONE = no class). */
    chaffinch_status (*column)(void *ctx, chaffinch_str name, chaffinch_strs *out);
    chaffinch_status (*column_numbers)(void *ctx, chaffinch_str name, chaffinch_f64s *out);
    chaffinch_status (*labels_of)(void *ctx, chaffinch_str column, chaffinch_u32s *out);
    chaffinch_status (*scores_of)(void *ctx, chaffinch_str detector, chaffinch_f32s *out);
    /* Since 7: a number for each sample, NAN = none, which is shown, sorted by and filtered. */
    chaffinch_status (*attribute)(void *ctx, chaffinch_str name, chaffinch_str unit, chaffinch_f32s values);
    chaffinch_status (*finding)(void *ctx, const chaffinch_finding *finding);
    chaffinch_status (*regions)(void *ctx, uint32_t sample, chaffinch_regions regions);
} chaffinch_host;

typedef void (*chaffinch_fail_sink)(void *sink, chaffinch_str message);
typedef chaffinch_status (*chaffinch_measure)(const chaffinch_pixels *pixels, uint8_t *record, size_t len, void *sink,
                                              chaffinch_fail_sink fail);

typedef struct {
    chaffinch_info info;
    chaffinch_status (*run)(const chaffinch_host *host);
    chaffinch_measure measure;  /* or NULL; then the next two are 0 */
    uint32_t measure_bytes;
    uint32_t measure_side;
} chaffinch_detector;

typedef struct { const chaffinch_detector *ptr; size_t len; } chaffinch_detectors;

typedef struct {
    uint32_t abi;               /* CHAFFINCH_ABI */
    uint32_t size;              /* sizeof(chaffinch_plugin) */
    chaffinch_str build;
    chaffinch_detectors detectors;
} chaffinch_plugin;

/* Exports an array of detectors from a library, once. */
extern __attribute__((visibility("default"))) const chaffinch_plugin CHAFFINCH_PLUGIN;
#define CHAFFINCH_EXPORT(array) \
    const chaffinch_plugin CHAFFINCH_PLUGIN = { CHAFFINCH_ABI, sizeof(chaffinch_plugin), CHAFFINCH_STR(__FILE__), \
        { array, sizeof(array) / sizeof(array[0]) } }

#ifdef __cplusplus
}
#endif

#endif
