#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static int64_t best(int64_t *weights, int64_t *values, int64_t n, int64_t *row, int64_t room) {
    for (int64_t i = 0; i < n; i++) {
        int64_t weight = weights[i], value = values[i];
        for (int64_t j = room; j >= weight; j--) {
            int64_t with = row[j - weight] + value;
            if (with > row[j])
                row[j] = with;
        }
    }
    return row[room];
}

int main(void) {
    int64_t n = input(), room = input(), x = n;
    int64_t *weights = calloc(n, 8), *values = calloc(n, 8), *row = calloc(room + 1, 8);
    for (int64_t i = 0; i < n; i++) {
        x = (x * 1664525 + 1013904223) & 4294967295;
        weights[i] = (x >> 24) + 1;
        x = (x * 1664525 + 1013904223) & 4294967295;
        values[i] = x >> 22;
    }
    print(best(weights, values, n, row, room));
}
