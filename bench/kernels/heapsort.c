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
        a[i] = x >> 4;
    }
}

static void sift(int64_t *a, int64_t root, int64_t end) {
    int64_t value = a[root];
    for (;;) {
        int64_t child = root * 2 + 1;
        if (child >= end)
            break;
        int64_t left = a[child];
        if (child + 1 < end && a[child + 1] > left)
            left = a[++child];
        if (left <= value)
            break;
        a[root] = left;
        root = child;
    }
    a[root] = value;
}

static void sort(int64_t *a, int64_t n) {
    for (int64_t i = n >> 1; i > 0;)
        sift(a, --i, n);
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t first = a[0];
        a[0] = a[i];
        a[i] = first;
        sift(a, 0, i);
    }
}

int main(void) {
    int64_t n = input(), sum = 0;
    int64_t *a = calloc(n, 8);
    fill(a, n, 11);
    sort(a, n);
    for (int64_t i = 0; i < n; i++)
        sum = (sum * 3 + a[i]) & 1073741823;
    print(sum);
}
