#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static void prefix(int64_t *a, int64_t *sums, int64_t n) {
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum = (sum + a[i]) & 1048575;
        sums[i] = sum;
    }
}

static void add(int64_t *a, int64_t *b, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        a[i] += b[i];
}

int main(void) {
    int64_t n = input(), rounds = input(), total = 0;
    int64_t *a = calloc(n, 8), *sums = calloc(n, 8);
    for (int64_t i = 0; i < n; i++)
        a[i] = i & 255;
    for (; rounds > 0; rounds--) {
        prefix(a, sums, n);
        add(a, sums, n);
    }
    for (int64_t i = 0; i < n; i++)
        total += a[i];
    print(total);
}
