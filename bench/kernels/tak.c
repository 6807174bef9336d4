#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static int64_t tak(int64_t x, int64_t y, int64_t z) {
    if (y >= x)
        return z;
    return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

int main(void) {
    int64_t x = input(), y = input(), z = input(), rounds = input(), sum = 0;
    for (; rounds > 0; rounds--)
        sum += tak(x, y, z);
    print(sum);
}
