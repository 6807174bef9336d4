#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static void shortest(int64_t *d, int64_t n) {
    for (int64_t k = 0; k < n; k++)
        for (int64_t i = 0; i < n; i++) {
            int64_t first = d[i * n + k];
            for (int64_t j = 0; j < n; j++) {
                int64_t way = first + d[k * n + j];
                if (way < d[i * n + j])
                    d[i * n + j] = way;
            }
        }
}

int main(void) {
    int64_t n = input(), x = n, sum = 0;
    int64_t *d = calloc(n * n, 8);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) {
            x = (x * 1664525 + 1013904223) & 4294967295;
            d[i * n + j] = x >> 12;
        }
        d[i * n + i] = 0;
    }
    shortest(d, n);
    for (int64_t i = 0; i < n * n; i++)
        sum = (sum * 3 + d[i]) & 1073741823;
    print(sum);
}
