#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

static int64_t search(int64_t *walls, int64_t *distance, int64_t *queue, int64_t width, int64_t start) {
    int64_t moves[4] = {1, -1, width, -width};
    int64_t head = 0, tail = 1, reached = 0;
    queue[0] = start;
    distance[start] = 1;
    while (head < tail) {
        int64_t here = queue[head++], next = distance[here];
        reached += next++;
        for (int64_t m = 0; m < 4; m++) {
            int64_t there = here + moves[m];
            if (walls[there] != 1 && distance[there] == 0) {
                distance[there] = next;
                queue[tail++] = there;
            }
        }
    }
    return reached;
}

int main(void) {
    int64_t n = input(), rounds = input(), size = n * n, x = n, sum = 0, start = n + 1;
    int64_t *walls = calloc(size, 8), *distance = calloc(size, 8), *queue = calloc(size, 8);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            x = (x * 1664525 + 1013904223) & 4294967295;
            int64_t last = n - 1;
            walls[i * n + j] = i == 0 || j == 0 || i == last || j == last || x >> 30 == 0;
        }
    walls[start] = 0;
    for (; rounds > 0; rounds--) {
        for (int64_t i = 0; i < size; i++)
            distance[i] = 0;
        sum += search(walls, distance, queue, n, start);
    }
    print(sum);
}
