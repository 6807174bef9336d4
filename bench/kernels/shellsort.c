#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static void sort(int64_t *a, int64_t n, int64_t *gaps, int64_t count) {
    for (int64_t g = count - 1; g >= 0; g--) {
        int64_t gap = gaps[g];
        for (int64_t i = gap; i < n; i++) {
            int64_t x = a[i], j = i;
            while (j >= gap && a[j - gap] > x) {
                a[j] = a[j - gap];
                j -= gap;
            }
            a[j] = x;
        }
    }
}

int main(void) {
    int64_t n = input(), x = n, sum = 0, gap = 1;
    int64_t *a = calloc(n, 8), *gaps = calloc(12, 8);
    for (int64_t i = 0; i < 12; i++) {
        gaps[i] = gap;
        gap = gap * 3 + 1;
    }
    for (int64_t i = 0; i < n; i++) {
        x = (x * 1664525 + 1013904223) & 4294967295;
        a[i] = x >> 4;
    }
    sort(a, n, gaps, 12);
    for (int64_t i = 0; i < n; i++)
        sum = (sum * 3 + a[i]) & 1073741823;
    print(sum);
}
