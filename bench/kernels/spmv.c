#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static void multiply(int64_t *starts, int64_t *columns, int64_t *values, int64_t *x, int64_t *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        int64_t sum = 0;
        for (int64_t k = starts[i]; k < starts[i + 1]; k++)
            sum += values[k] * x[columns[k]];
        y[i] = sum & 1048575;
    }
}

int main(void) {
    int64_t n = input(), each = input(), rounds = input(), size = n * each, r = n, sum = 0;
    int64_t *starts = calloc(n + 1, 8), *columns = calloc(size, 8), *values = calloc(size, 8);
    int64_t *x = calloc(n, 8), *y = calloc(n, 8);
    for (int64_t i = 0; i <= n; i++)
        starts[i] = i * each;
    for (int64_t i = 0; i < size; i++) {
        r = (r * 1664525 + 1013904223) & 4294967295;
        values[i] = r >> 24;
        columns[i] = (r >> 8) & (n - 1);
    }
    for (int64_t i = 0; i < n; i++)
        x[i] = i;
    for (; rounds > 0; rounds--) {
        multiply(starts, columns, values, x, y, n);
        multiply(starts, columns, values, y, x, n);
    }
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    print(sum);
}
