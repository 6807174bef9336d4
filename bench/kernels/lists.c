#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

struct node {
    int64_t value;
    struct node *next;
};

static struct node *build(int64_t n) {
    struct node *list = NULL;
    for (; n > 0; n--) {
        struct node *node = malloc(sizeof *node);
        node->value = n;
        node->next = list;
        list = node;
    }
    return list;
}

static struct node *reverse(struct node *list) {
    struct node *result = NULL;
    while (list) {
        struct node *next = list->next;
        list->next = result;
        result = list;
        list = next;
    }
    return result;
}

static int64_t total(struct node *list) {
    int64_t sum = 0;
    for (; list; list = list->next)
        sum = (sum * 3 + list->value) & 1073741823;
    return sum;
}

int main(void) {
    int64_t n = input(), rounds = input(), sum = 0;
    struct node *list = build(n);
    for (; rounds > 0; rounds--) {
        list = reverse(list);
        sum += total(list);
    }
    print(sum);
}
