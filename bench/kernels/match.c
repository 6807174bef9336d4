#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static int64_t count(int64_t *text, int64_t n, int64_t *word, int64_t m) {
    int64_t found = 0;
    for (int64_t i = 0; i <= n - m; i++) {
        int64_t j = 0;
        while (j < m && text[i + j] == word[j])
            j++;
        if (j == m)
            found++;
    }
    return found;
}

static void fill(int64_t *a, int64_t n, int64_t seed) {
    int64_t x = seed;
    for (int64_t i = 0; i < n; i++) {
        x = (x * 1664525 + 1013904223) & 4294967295;
        a[i] = x >> 31;
    }
}

int main(void) {
    int64_t n = input(), m = input(), rounds = input(), sum = 0;
    int64_t *text = calloc(n, 8), *word = calloc(m, 8);
    fill(text, n, n);
    for (; rounds > 0; rounds--) {
        fill(word, m, rounds);
        sum += count(text, n, word, m);
    }
    print(sum);
}
