/* Blurred pictures by their frequencies: the share of energy that is in the upper half of the spectrum.
 *
 * A picture is cut into blocks of 16 x 16 pixels; the two-dimensional discrete cosine transform of each shows how much of
 * its variation is fine. The most detailed tenth of the blocks counts, so that a sharp figure on a smooth ground is sharp.
 */
#include "chaffinch_plugin.h"
#include <math.h>
#include <stdlib.h>

#define SIDE 16
#define PI 3.14159265358979323846

static const char docs[] =
    "# What it finds\nPictures without fine detail.\n\n# Why it matters\nBlurred pictures teach a model blur.\n\n"
    "# Score\nThe share of energy in the upper half of the spectrum in the most detailed tenth of the blocks, relative to the "
    "parameter full.\n\n# Parameters\nfull: the share that counts as sharp.\n\n# Blind spots\nMotif and format: a clear sky "
    "has no detail, and blocks of strong JPEG compression have edges.\n";

static const chaffinch_param parameters[] = { {
    .name = CHAFFINCH_STR("full"),
    .help = CHAFFINCH_STR("Share of energy in high frequencies that counts as sharp"),
    .kind = CHAFFINCH_NUMBER,
    .default_value = 0.02,
    .min = 0.001,
    .max = 0.5,
} };

/* What a run needs in every picture. */
typedef struct {
    float *scores;
    double full;
    double cosines[SIDE][SIDE];
} work;

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* The share of a block's energy, without its mean, in frequencies of which one is at least SIDE / 2; 0 if it is flat. */
static double share(const work *work, const chaffinch_pixels *pixels, size_t left, size_t top)
{
    double rows[SIDE][SIDE], all = 0.0, high = 0.0;
    for (size_t y = 0; y < SIDE; y++) {
        const uint8_t *line = pixels->rgb.ptr + ((top + y) * pixels->width + left) * 3;
        for (size_t v = 0; v < SIDE; v++) {
            rows[y][v] = 0.0;
            for (size_t x = 0; x < SIDE; x++)
                rows[y][v] += work->cosines[v][x] * (0.299 * line[3 * x] + 0.587 * line[3 * x + 1] + 0.114 * line[3 * x + 2]);
        }
    }
    for (size_t u = 0; u < SIDE; u++) {
        for (size_t v = 0; v < SIDE; v++) {
            double value = 0.0;
            for (size_t y = 0; y < SIDE; y++)
                value += work->cosines[u][y] * rows[y][v];
            if (u + v == 0)
                continue;
            all += value * value;
            if (u >= SIDE / 2 || v >= SIDE / 2)
                high += value * value;
        }
    }
    /* A variation of less than one level is noise of the format. */
    return all < SIDE * SIDE ? 0.0 : high / all;
}

static chaffinch_status look(void *sink, uint32_t sample, const chaffinch_pixels *pixels)
{
    const work *work = sink;
    size_t across = pixels->width / SIDE, down = pixels->height / SIDE, count = across * down;
    if (count == 0)
        return CHAFFINCH_OK;
    double *shares = malloc(count * sizeof *shares);
    if (shares == NULL)
        return CHAFFINCH_ERROR;
    for (size_t block = 0; block < count; block++)
        shares[block] = share(work, pixels, block % across * SIDE, block / across * SIDE);
    qsort(shares, count, sizeof *shares, descending);
    size_t best = count / 10 + 1;
    double sum = 0.0;
    for (size_t block = 0; block < best; block++)
        sum += shares[block];
    free(shares);
    double score = sum / (double)best / work->full;
    /* Each sample has its own place, so threads do not meet. */
    work->scores[sample] = (float)(score < 1.0 ? score : 1.0);
    return CHAFFINCH_OK;
}

static chaffinch_status run(const chaffinch_host *host)
{
    static const chaffinch_str full = CHAFFINCH_STR("full"), memory = CHAFFINCH_STR("there is no memory");
    chaffinch_dataset data;
    work work;
    chaffinch_status status = host->dataset(host->ctx, &data);
    if (status == CHAFFINCH_OK)
        status = host->number(host->ctx, full, &work.full);
    if (status != CHAFFINCH_OK || data.count == 0)
        return status;
    work.scores = malloc(data.count * sizeof *work.scores);
    if (work.scores == NULL) {
        host->fail(host->ctx, memory);
        return CHAFFINCH_ERROR;
    }
    for (size_t sample = 0; sample < data.count; sample++)
        work.scores[sample] = NAN;
    for (size_t u = 0; u < SIDE; u++)
        for (size_t x = 0; x < SIDE; x++)
            work.cosines[u][x] = sqrt((u == 0 ? 1.0 : 2.0) / SIDE) * cos(PI * (double)u * ((double)x + 0.5) / SIDE);
    status = host->each_pixels(host->ctx, 512, &work, look);
    if (status == CHAFFINCH_OK)
        status = host->scores(host->ctx, (chaffinch_f32s){ work.scores, data.count });
    else if (status == CHAFFINCH_ERROR)
        host->fail(host->ctx, host->message(host->ctx));
    free(work.scores);
    return status;
}

static const chaffinch_detector detectors[] = { {
    .info = {
        .name = CHAFFINCH_STR("blur-frequency"),
        .version = CHAFFINCH_STR("1.0.0"),
        .summary = CHAFFINCH_STR("No fine detail in the picture, by its frequencies"),
        .docs = CHAFFINCH_STR(docs),
        .needs = CHAFFINCH_PIXELS,
        .threshold = 0.5f,
        .params = { parameters, 1 },
    },
    .run = run,
} };

CHAFFINCH_EXPORT(detectors);
