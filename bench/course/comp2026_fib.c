#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

int main(void) {
    int64_t size = 64;
    int64_t *arr = calloc(size, 8);
    arr[0] = arr[1] = 1;
    for (int64_t i = 2; i < size; i++)
        arr[i] = 0;
    int64_t inputs = input(), most = 2, total = 0;
    print(inputs);
    for (int64_t x = 0; x < inputs; x++) {
        int64_t fib = input();
        if (fib > size) {
            int64_t new_size = fib * 2;
            int64_t *new_arr = calloc(new_size, 8);
            for (int64_t i = 0; i < new_size; i++) {
                new_arr[i] = 0;
                if (i < size)
                    new_arr[i] = arr[i];
            }
            size = new_size;
            arr = new_arr;
        }
        for (int64_t y = most; y < fib; y++) {
            int64_t result = arr[y - 2] + arr[y - 1];
            if (result > 100000)
                result -= 100000;
            arr[y] = result;
        }
        if (fib > most)
            most = fib;
        total += arr[fib - 1];
        if (total > 100000)
            total -= 100000;
    }
    print(total);
}
