#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static int64_t find(int64_t *a, int64_t n, int64_t wanted) {
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = (low + high) >> 1;
        if (a[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int main(void) {
    int64_t n = input(), searches = input(), x = n, sum = 0;
    int64_t *a = calloc(n, 8);
    for (int64_t i = 0; i < n; i++)
        a[i] = i * 16;
    for (; searches > 0; searches--) {
        x = (x * 1664525 + 1013904223) & 4294967295;
        sum += find(a, n, x >> 12);
    }
    print(sum);
}
