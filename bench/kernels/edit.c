#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static void fill(int64_t *a, int64_t n, int64_t seed) {
    int64_t x = seed;
    for (int64_t i = 0; i < n; i++) {
        x = (x * 1664525 + 1013904223) & 4294967295;
        a[i] = x >> 30;
    }
}

static int64_t distance(int64_t *a, int64_t *b, int64_t *table, int64_t n, int64_t m) {
    int64_t w = m + 1;
    for (int64_t i = 0; i <= n; i++)
        table[i * w] = i;
    for (int64_t j = 0; j <= m; j++)
        table[j] = j;
    for (int64_t i = 1; i <= n; i++) {
        int64_t x = a[i - 1];
        for (int64_t j = 1; j <= m; j++) {
            int64_t best = table[(i - 1) * w + j - 1], other;
            if (x != b[j - 1])
                best++;
            other = table[(i - 1) * w + j] + 1;
            if (other < best)
                best = other;
            other = table[i * w + j - 1] + 1;
            if (other < best)
                best = other;
            table[i * w + j] = best;
        }
    }
    return table[n * w + m];
}

int main(void) {
    int64_t n = input(), rounds = input(), sum = 0;
    int64_t *a = calloc(n, 8), *b = calloc(n, 8), *table = calloc((n + 1) * (n + 1), 8);
    for (; rounds > 0; rounds--) {
        fill(a, n, rounds);
        fill(b, n, n);
        sum += distance(a, b, table, n, n);
    }
    print(sum);
}
