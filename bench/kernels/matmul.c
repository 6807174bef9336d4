#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static void fill(int64_t *m, int64_t n, int64_t seed) {
    int64_t x = seed;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            x = (x * 1664525 + 1013904223) & 4294967295;
            m[i * n + j] = x >> 24;
        }
}

static void multiply(int64_t *a, int64_t *b, int64_t *c, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            int64_t sum = 0;
            for (int64_t k = 0; k < n; k++)
                sum += a[i * n + k] * b[k * n + j];
            c[i * n + j] = sum;
        }
}

int main(void) {
    int64_t n = input(), sum = 0;
    int64_t *a = calloc(n * n, 8), *b = calloc(n * n, 8), *c = calloc(n * n, 8);
    fill(a, n, 1);
    fill(b, n, 2);
    multiply(a, b, c, n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            sum = (sum * 3 + c[i * n + j]) & 1073741823;
    print(sum);
}
