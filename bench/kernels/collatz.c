#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static int64_t steps(int64_t x) {
    int64_t count = 0;
    while (x > 1) {
        int64_t odd = x & 1;
        if (odd)
            x = x * 3 + 1;
        x >>= 1;
        count += 1 + odd;
    }
    return count;
}

int main(void) {
    int64_t n = input(), longest = 0, start = 0;
    for (int64_t i = 1; i < n; i++) {
        int64_t s = steps(i);
        if (s > longest) {
            longest = s;
            start = i;
        }
    }
    print(start);
    print(longest);
}
