#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static int64_t slot(int64_t *keys, int64_t mask, int64_t key) {
    int64_t i = (key * 2654435761) >> 11;
    for (;;) {
        i &= mask;
        if (keys[i] == key || keys[i] == 0)
            return i;
        i++;
    }
}

static void insert(int64_t *keys, int64_t *values, int64_t mask, int64_t key, int64_t value) {
    int64_t i = slot(keys, mask, key);
    keys[i] = key;
    values[i] += value;
}

static int64_t find(int64_t *keys, int64_t *values, int64_t mask, int64_t key) {
    int64_t i = slot(keys, mask, key);
    return keys[i] == key ? values[i] : -1;
}

int main(void) {
    int64_t bits = input(), inserts = input(), finds = input(), x = bits, sum = 0;
    int64_t size = (int64_t)1 << bits;
    int64_t *keys = calloc(size, 8), *values = calloc(size, 8);
    for (int64_t i = 0; i < inserts; i++) {
        x = (x * 1664525 + 1013904223) & 4294967295;
        insert(keys, values, size - 1, (x >> 13) + 1, i);
    }
    for (int64_t i = 0; i < finds; i++) {
        x = (x * 1664525 + 1013904223) & 4294967295;
        sum = (sum + find(keys, values, size - 1, (x >> 13) + 1)) & 1073741823;
    }
    print(sum);
}
