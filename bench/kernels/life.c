#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static void step(int64_t *old, int64_t *new, int64_t n) {
    for (int64_t y = 1; y < n - 1; y++)
        for (int64_t x = 1; x < n - 1; x++) {
            int64_t *above = old + (y - 1) * n + x, *here = old + y * n + x, *below = old + (y + 1) * n + x;
            int64_t count = above[-1] + above[0] + above[1] + here[-1] + here[1] + below[-1] + below[0] + below[1];
            int64_t alive = 0;
            if (count == 3)
                alive = 1;
            else if (count == 2)
                alive = here[0];
            new[y * n + x] = alive;
        }
}

int main(void) {
    int64_t n = input(), rounds = input(), x = n, sum = 0;
    int64_t *a = calloc(n * n, 8), *b = calloc(n * n, 8);
    for (int64_t i = 1; i < n - 1; i++)
        for (int64_t j = 1; j < n - 1; j++) {
            x = (x * 1664525 + 1013904223) & 4294967295;
            a[i * n + j] = x >> 31;
        }
    for (; rounds > 0; rounds--) {
        step(a, b, n);
        step(b, a, n);
    }
    for (int64_t i = 0; i < n * n; i++)
        sum = (sum * 3 + a[i]) & 1073741823;
    print(sum);
}
