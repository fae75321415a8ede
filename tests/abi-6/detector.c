/* A detector as it was written for version 6 of the contract: it uses what there was, and refuses another table. */
#include "chaffinch_plugin.h"
#include <math.h>
#include <stdlib.h>

static chaffinch_status look(void *sink, uint32_t sample, const chaffinch_pixels *pixels) {
    ((float *)sink)[sample] = pixels->width > 0 ? 0.75f : 0.0f;
    return CHAFFINCH_OK;
}

static chaffinch_status run(const chaffinch_host *host) {
    static const chaffinch_str share = CHAFFINCH_STR("share"), odd = CHAFFINCH_STR("another contract");
    static const chaffinch_str note = CHAFFINCH_STR("saw"), reason = CHAFFINCH_STR("is the second");
    if (host->abi != CHAFFINCH_ABI || host->size < sizeof(chaffinch_host)) {
        host->fail(host->ctx, odd);
        return CHAFFINCH_ERROR;
    }
    chaffinch_dataset data;
    chaffinch_u64s hashes;
    double value;
    chaffinch_status status = host->dataset(host->ctx, &data);
    if (status == CHAFFINCH_OK) status = host->number(host->ctx, share, &value);
    if (status == CHAFFINCH_OK) status = host->hashes(host->ctx, 0, &hashes);
    if (status != CHAFFINCH_OK || data.count == 0) return status;
    float *scores = malloc(data.count * sizeof *scores);
    for (size_t i = 0; i < data.count; i++) scores[i] = NAN;
    status = host->each_pixels(host->ctx, 16, scores, look);
    if (status == CHAFFINCH_OK) status = host->scores(host->ctx, (chaffinch_f32s){ scores, data.count });
    if (status == CHAFFINCH_OK && data.count > 1) {
        chaffinch_issue issue = { 1, (float)value, CHAFFINCH_NONE, CHAFFINCH_NONE, { NULL, 0 }, reason };
        status = host->issue(host->ctx, &issue);
    }
    if (status == CHAFFINCH_OK) status = host->note(host->ctx, note, reason);
    free(scores);
    return host->stopped(host->ctx) ? CHAFFINCH_STOPPED : status;
}

static const chaffinch_param params[] = {
    { CHAFFINCH_STR("share"), CHAFFINCH_STR("The score of the second"), CHAFFINCH_NUMBER, 0, 0.125, 0, 1, { NULL, 0 } },
};

static const chaffinch_detector detectors[] = {
    { { CHAFFINCH_STR("old-c"), CHAFFINCH_STR("1.0.0"), CHAFFINCH_STR("The second one"), { NULL, 0 },
        CHAFFINCH_PIXELS | CHAFFINCH_HASHES, 0.5f, 0, { params, 1 } },
      run, NULL, 0, 0 },
};

CHAFFINCH_EXPORT(detectors);
