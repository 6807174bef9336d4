#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static int64_t ones(int64_t x) {
    int64_t count = 0;
    while (x != 0) {
        x &= x - 1;
        count++;
    }
    return count;
}

static int64_t either(int64_t a, int64_t b) { return a + b - ((a & b) << 1); }

static int64_t reverse(int64_t x) {
    x = ((x & 1431655765) << 1) + ((x >> 1) & 1431655765);
    x = ((x & 858993459) << 2) + ((x >> 2) & 858993459);
    x = ((x & 252645135) << 4) + ((x >> 4) & 252645135);
    x = ((x & 16711935) << 8) + ((x >> 8) & 16711935);
    return ((x & 65535) << 16) + (x >> 16);
}

int main(void) {
    int64_t n = input(), x = n, sum = 0;
    for (; n > 0; n--) {
        x = (x * 1664525 + 1013904223) & 4294967295;
        int64_t r = reverse(either(x, x >> 3));
        sum = (either(sum, r) + ones(r)) & 4294967295;
    }
    print(sum);
}
