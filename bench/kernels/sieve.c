#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static int64_t primes(int64_t *composite, int64_t n) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        composite[i] = 0;
    for (int64_t i = 2; i < n; i++)
        if (composite[i] == 0) {
            count++;
            for (int64_t j = i * i; j < n; j += i)
                composite[j] = 1;
        }
    return count;
}

int main(void) {
    int64_t n = input(), rounds = input(), sum = 0;
    int64_t *composite = calloc(n, 8);
    for (; rounds > 0; rounds--)
        sum += primes(composite, n);
    print(sum);
}
