#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static void relax(int64_t *from, int64_t *to, int64_t height, int64_t width) {
    for (int64_t y = 1; y < height - 1; y++)
        for (int64_t x = 1; x < width - 1; x++) {
            int64_t *point = from + y * width + x;
            to[y * width + x] = (point[-1] + point[1] + point[-width] + point[width]) >> 2;
        }
}

int main(void) {
    int64_t n = input(), rounds = input(), sum = 0;
    int64_t *a = calloc(n * n, 8), *b = calloc(n * n, 8);
    for (int64_t i = 0; i < n; i++) {
        a[i] = b[i] = i << 20;
        a[i * n + n - 1] = b[i * n + n - 1] = i << 20;
    }
    for (; rounds > 0; rounds--) {
        relax(a, b, n, n);
        relax(b, a, n, n);
    }
    for (int64_t i = 0; i < n * n; i++)
        sum = (sum * 3 + a[i]) & 1073741823;
    print(sum);
}
