#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static int64_t permute(int64_t *a, int64_t n, int64_t k, int64_t sum) {
    if (k == 1)
        return ((sum * 3 + a[0]) * 3 + a[n - 1]) & 1073741823;
    for (int64_t i = 0; i < k; i++) {
        sum = permute(a, n, k - 1, sum);
        int64_t y = a[k - 1];
        if ((k & 1) == 1) {
            int64_t x = a[0];
            a[0] = y;
            a[k - 1] = x;
        } else {
            int64_t x = a[i];
            a[i] = y;
            a[k - 1] = x;
        }
    }
    return sum;
}

int main(void) {
    int64_t n = input();
    int64_t *a = calloc(n, 8);
    for (int64_t i = 0; i < n; i++)
        a[i] = i;
    print(permute(a, n, n, 0));
}
