#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static int64_t place(int64_t row, int64_t n, int64_t *columns, int64_t *rising, int64_t *falling) {
    if (row == n)
        return 1;
    int64_t count = 0;
    for (int64_t column = 0; column < n; column++) {
        int64_t up = row + column, down = row - column + n;
        if (columns[column] == 1 || rising[up] == 1 || falling[down] == 1)
            continue;
        columns[column] = rising[up] = falling[down] = 1;
        count += place(row + 1, n, columns, rising, falling);
        columns[column] = rising[up] = falling[down] = 0;
    }
    return count;
}

int main(void) {
    int64_t n = input();
    int64_t *columns = calloc(n, 8), *rising = calloc(2 * n, 8), *falling = calloc(2 * n, 8);
    print(place(0, n, columns, rising, falling));
}
