#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static void count(int64_t *values, int64_t *bins, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        bins[values[i]]++;
}

int main(void) {
    int64_t n = input(), rounds = input(), x = 5, sum = 0;
    int64_t *values = calloc(n, 8), *bins = calloc(1024, 8);
    for (int64_t i = 0; i < n; i++) {
        x = (x * 1664525 + 1013904223) & 4294967295;
        values[i] = x >> 22;
    }
    for (; rounds > 0; rounds--)
        count(values, bins, n);
    for (int64_t i = 0; i < 1024; i++)
        sum += bins[i] * i;
    print(sum);
}
