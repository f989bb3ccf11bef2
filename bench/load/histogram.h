// A histogram of nanoseconds with logarithmic buckets, each split in 128: values are off by less than 0.8 %.
#pragma once

#include <stdint.h>

#define SUB_BITS 7
#define SUB_COUNT (1u << SUB_BITS)
#define BUCKETS ((64 - SUB_BITS) * SUB_COUNT)

typedef struct {
  uint64_t counts[BUCKETS];
  uint64_t total;
  uint64_t max;
} histogram;

static inline void histogram_add(histogram *h, uint64_t ns) {
  uint32_t index = (uint32_t)ns;
  if (ns >= SUB_COUNT) {
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(ns) - SUB_BITS;
    index = (shift + 1) * SUB_COUNT + (uint32_t)(ns >> shift) - SUB_COUNT;
  }
  h->counts[index]++;
  h->total++;
  if (ns > h->max) h->max = ns;
}

// The middle of the bucket in which the quantile lies, in microseconds; 0 for an empty histogram.
static double histogram_quantile_us(const histogram *h, double quantile) {
  uint64_t wanted = (uint64_t)(quantile * (double)h->total);
  uint64_t seen = 0;
  for (uint32_t i = 0; i < BUCKETS && h->total > 0; i++) {
    seen += h->counts[i];
    if (seen <= wanted && seen < h->total) continue;
    if (i < SUB_COUNT) return i / 1e3;
    uint32_t shift = i / SUB_COUNT - 1;
    double low = (double)((uint64_t)(i % SUB_COUNT + SUB_COUNT) << shift);
    return (low + (double)(1ull << shift) / 2) / 1e3;
  }
  return 0;
}
