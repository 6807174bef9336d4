#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t input(void) {
    long long value = 0;
    return scanf("%lld", &value) == 1 ? value : 0;
}

static void print(int64_t value) { printf("%lld\n", (long long)value); }

typedef int64_t instruction(int64_t *stack, int64_t top, int64_t operand);

static int64_t push(int64_t *stack, int64_t top, int64_t operand) {
    stack[top] = operand;
    return top + 1;
}

static int64_t add(int64_t *stack, int64_t top, int64_t operand) {
    (void)operand;
    stack[top - 2] = (stack[top - 1] + stack[top - 2]) & 1073741823;
    return top - 1;
}

static int64_t multiply(int64_t *stack, int64_t top, int64_t operand) {
    (void)operand;
    stack[top - 2] = (stack[top - 1] * stack[top - 2]) & 1073741823;
    return top - 1;
}

static int64_t twice(int64_t *stack, int64_t top, int64_t operand) {
    (void)operand;
    stack[top] = stack[top - 1];
    return top + 1;
}

static int64_t execute(instruction **table, int64_t *program, int64_t *operands, int64_t n, int64_t *stack, int64_t top) {
    for (int64_t i = 0; i < n; i++)
        top = table[program[i]](stack, top, operands[i]);
    return top;
}

int main(void) {
    int64_t n = input(), rounds = input(), x = n, top = 1;
    instruction **table = malloc(4 * sizeof *table);
    table[0] = push;
    table[1] = add;
    table[2] = multiply;
    table[3] = twice;
    int64_t *program = calloc(n, 8), *operands = calloc(n, 8), *stack = calloc(16, 8);
    for (int64_t i = 0; i < n; i++) {
        x = (x * 1664525 + 1013904223) & 4294967295;
        int64_t v = x >> 31;
        program[i] = (i & 1) == 1 ? v + 1 : v * 3;
        operands[i] = x >> 20;
    }
    stack[0] = n;
    for (; rounds > 0; rounds--)
        top = execute(table, program, operands, n, stack, top);
    print(top);
    print(stack[0]);
}
