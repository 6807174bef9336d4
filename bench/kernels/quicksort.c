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

static void sort(int64_t *a, int64_t low, int64_t high) {
    if (low >= high)
        return;
    int64_t pivot = a[(low + high) >> 1], i = low, j = high;
    while (i <= j) {
        while (a[i] < pivot)
            i++;
        while (a[j] > pivot)
            j--;
        if (i <= j) {
            int64_t x = a[i], y = a[j];
            a[i++] = y;
            a[j--] = x;
        }
    }
    sort(a, low, j);
    sort(a, i, high);
}

int main(void) {
    int64_t n = input(), sum = 0;
    int64_t *a = calloc(n, 8);
    fill(a, n, 7);
    sort(a, 0, n - 1);
    for (int64_t i = 0; i < n; i++)
        sum = (sum * 3 + a[i]) & 1073741823;
    print(sum);
}
