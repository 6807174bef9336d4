#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static int64_t escape(int64_t x, int64_t y, int64_t limit) {
    int64_t a = 0, b = 0, count = 0;
    while (count < limit) {
        int64_t aa = (a * a) >> 20, bb = (b * b) >> 20;
        if (aa + bb > 4194304)
            break;
        b = ((a * b) >> 19) + y;
        a = aa - bb + x;
        count++;
    }
    return count;
}

int main(void) {
    int64_t n = input(), limit = input(), step = input(), y = -1048576, sum = 0;
    for (int64_t i = 0; i < n; i++, y += step) {
        int64_t x = -2097152;
        for (int64_t j = 0; j < n; j++, x += step)
            sum = (sum * 3 + escape(x, y, limit)) & 1073741823;
    }
    print(sum);
}
