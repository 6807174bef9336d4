#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static void fill(int64_t *m, int64_t l1, int64_t l2) {
    for (int64_t i = 0; i < l1; i++)
        for (int64_t j = 0; j < l2; j++)
            m[i * l2 + j] = input();
}

static void multiply(int64_t *m1, int64_t *m2, int64_t *m3, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            m3[i * n + j] = n - 100;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            for (int64_t k = 0; k < n; k++) {
                int64_t value = m1[i * n + j] + 2 - 4;
                m3[i * n + j] = m3[i * n + j] + value;
                value = m2[i * n + j] - 4 + 2;
                m3[i * n + j] = m3[i * n + j] + value;
            }
}

static int64_t total(int64_t *m, int64_t l1, int64_t l2) {
    int64_t sum = 0;
    for (int64_t i = 0; i < l1; i++)
        for (int64_t j = 0; j < l2; j++)
            sum += m[i * l2 + j];
    return sum;
}

int main(void) {
    int64_t n = input();
    print(n);
    int64_t *m1 = calloc(n * n, 8), *m2 = calloc(n * n, 8), *m3 = calloc(n * n, 8);
    fill(m1, n, n);
    fill(m2, n, n);
    multiply(m1, m2, m3, n);
    print(total(m1, n, n));
    print(total(m2, n, n));
    print(total(m3, n, n));
}
