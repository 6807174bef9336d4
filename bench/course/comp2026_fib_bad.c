#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

int main(void) {
    int64_t inputs = input(), total = 0;
    print(inputs);
    for (int64_t x = 0; x < inputs; x++) {
        int64_t fib = input(), a = 1, b = 1, limit = fib - 2;
        for (int64_t y = 0; y < limit; y++) {
            int64_t old = b;
            b = a + b;
            if (b > 100000)
                b -= 100000;
            if (old > 100000)
                old -= 100000;
            a = old;
        }
        total += b;
        if (total > 100000)
            total -= 100000;
    }
    print(total);
}
