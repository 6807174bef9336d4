/* The kernels of build.py in C.  `gcc -O2 -fno-tree-vectorize` compiles them beside the scalar ones, `gcc -O3 -march=native -DVECTORS`
   beside those with explicit vectors: then sums are kept in vectors as there (GCC's vector extension), and the rest is written as
   loops that gcc vectorises. */
#include <math.h>
#include <stdint.h>

#ifdef VECTORS
#ifndef BITS
#define BITS 512
#endif
#define D (BITS / 64)
typedef double vd __attribute__((vector_size(BITS / 8), aligned(8), may_alias));
typedef int64_t vl __attribute__((vector_size(BITS / 8), aligned(8), may_alias));
typedef double v4 __attribute__((vector_size(32), aligned(8), may_alias));

static inline double total(vd v) {
    double sums[D];
    *(vd *)sums = v;
    for (int width = D / 2; width; width /= 2)
        for (int lane = 0; lane < width; lane++)
            sums[lane] += sums[lane + width];
    return sums[0];
}
#endif

double dot(const double *x, const double *y, int64_t n, int64_t rounds) {
    double sum = 0;
    for (int64_t r = 0; r < rounds; r++) {
        const double *at = x + (r & 7);
#ifdef VECTORS
        vd a = {0}, b = {0}, c = {0}, d = {0};
        for (int64_t i = 0; i < n; i += 4 * D) {
            a += *(vd *)(at + i) * *(vd *)(y + i);
            b += *(vd *)(at + i + D) * *(vd *)(y + i + D);
            c += *(vd *)(at + i + 2 * D) * *(vd *)(y + i + 2 * D);
            d += *(vd *)(at + i + 3 * D) * *(vd *)(y + i + 3 * D);
        }
        sum += total((a + b) + (c + d));
#else
        for (int64_t i = 0; i < n; i++)
            sum += at[i] * y[i];
#endif
    }
    return sum;
}

void saxpy(float a, const float *restrict x, float *restrict y, int64_t n, int64_t rounds) {
    for (int64_t r = 0; r < rounds; r++) {
        const float *at = x + (r & 7);
        for (int64_t i = 0; i < n; i++)
            y[i] = a * at[i] + y[i];
    }
}

void matmul(const double *restrict a, const double *restrict b, double *restrict c, int64_t n) {
#ifdef VECTORS
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j += D) {
            vd sum = {0};
            for (int64_t k = 0; k < n; k++)
                sum += a[i * n + k] * *(vd *)(b + k * n + j);
            *(vd *)(c + i * n + j) = sum;
        }
#else
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t k = 0; k < n; k++)
                sum += a[i * n + k] * b[k * n + j];
            c[i * n + j] = sum;
        }
#endif
}

void blocked(const double *restrict a, const double *restrict b, double *restrict c, int64_t n) {
#ifdef VECTORS
#define LANES D
    typedef vd number;
#else
#define LANES 1
    typedef double number;
#endif
    for (int64_t i = 0; i < n; i += 4)
        for (int64_t j = 0; j < n; j += 2 * LANES) {
            number s00 = {0}, s01 = {0}, s10 = {0}, s11 = {0}, s20 = {0}, s21 = {0}, s30 = {0}, s31 = {0};
            for (int64_t k = 0; k < n; k++) {
                const double *at = b + k * n + j;
                number x = *(number *)at, y = *(number *)(at + LANES);
                s00 += a[i * n + k] * x, s01 += a[i * n + k] * y;
                s10 += a[(i + 1) * n + k] * x, s11 += a[(i + 1) * n + k] * y;
                s20 += a[(i + 2) * n + k] * x, s21 += a[(i + 2) * n + k] * y;
                s30 += a[(i + 3) * n + k] * x, s31 += a[(i + 3) * n + k] * y;
            }
            double *to = c + i * n + j;
            *(number *)to = s00, *(number *)(to + LANES) = s01;
            *(number *)(to + n) = s10, *(number *)(to + n + LANES) = s11;
            *(number *)(to + 2 * n) = s20, *(number *)(to + 2 * n + LANES) = s21;
            *(number *)(to + 3 * n) = s30, *(number *)(to + 3 * n + LANES) = s31;
        }
}

void nbody(double *restrict p, double *restrict v, const double *restrict m, int64_t n, int64_t steps, double dt) {
    for (int64_t s = 0; s < steps; s++) {
        for (int64_t i = 0; i < n; i++) {
            double mine = m[i];
#ifdef VECTORS
            v4 place = *(v4 *)(p + 4 * i), fast = *(v4 *)(v + 4 * i);
            for (int64_t j = i + 1; j < n; j++) {
                v4 far = place - *(v4 *)(p + 4 * j), squares = far * far;
                double square = (squares[0] + squares[2]) + (squares[1] + squares[3]);
                double much = dt / (square * sqrt(square));
                fast -= far * (m[j] * much);
                *(v4 *)(v + 4 * j) += far * (mine * much);
            }
            *(v4 *)(v + 4 * i) = fast;
#else
            double x = p[4 * i], y = p[4 * i + 1], z = p[4 * i + 2];
            double vx = v[4 * i], vy = v[4 * i + 1], vz = v[4 * i + 2];
            for (int64_t j = i + 1; j < n; j++) {
                double dx = x - p[4 * j], dy = y - p[4 * j + 1], dz = z - p[4 * j + 2];
                double square = dx * dx + dy * dy + dz * dz;
                double much = dt / (square * sqrt(square));
                vx -= dx * m[j] * much, vy -= dy * m[j] * much, vz -= dz * m[j] * much;
                v[4 * j] += dx * mine * much, v[4 * j + 1] += dy * mine * much, v[4 * j + 2] += dz * mine * much;
            }
            v[4 * i] = vx, v[4 * i + 1] = vy, v[4 * i + 2] = vz;
#endif
        }
        for (int64_t i = 0; i < 4 * n; i++)
            p[i] += dt * v[i];
    }
}

void spectral(const double *restrict x, double *restrict out, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
#ifdef VECTORS
        vd sum = {0}, row = {0}, diagonal;
        row += (double)i;
        for (int lane = 0; lane < D; lane++)
            diagonal[lane] = (double)(i + lane);
        for (int64_t j = 0; j < n; j += D) {
            sum += *(vd *)(x + j) / (diagonal * (diagonal + 1.0) * 0.5 + row + 1.0);
            diagonal += (double)D;
        }
        out[i] = total(sum);
#else
        double sum = 0;
        for (int64_t j = 0; j < n; j++)
            sum += x[j] / (double)(((i + j) * (i + j + 1) >> 1) + i + 1);
        out[i] = sum;
#endif
    }
}

void mandelbrot(int64_t *restrict out, int64_t n, int64_t limit) {
    double step = 3.0 / (double)n;
    for (int64_t i = 0; i < n; i++) {
#ifdef VECTORS
        vd cy = {0};
        cy += (double)i * step + -1.5;
        for (int64_t j = 0; j < n; j += D) {
            vd cx, x = {0}, y = {0};
            vl count = {0};
            for (int lane = 0; lane < D; lane++)
                cx[lane] = (double)(j + lane) * step + -2.0;
            for (int64_t round = 0; round < limit; round++) {
                vd xx = x * x, yy = y * y;
                vl inside = xx + yy <= 4.0;
                int64_t some = 0;
                for (int lane = 0; lane < D; lane++)
                    some |= inside[lane];
                if (!some)
                    break;
                vd product = x * y;
                x = xx - yy + cx, y = product + product + cy;
                count -= inside;
            }
            *(vl *)(out + i * n + j) = count;
        }
#else
        double cy = (double)i * step + -1.5;
        for (int64_t j = 0; j < n; j++) {
            double cx = (double)j * step + -2.0, x = 0, y = 0;
            int64_t count = 0;
            for (;;) {
                double xx = x * x, yy = y * y;
                if (!(xx + yy <= 4.0) || count >= limit)
                    break;
                double product = x * y;
                x = xx - yy + cx, y = product + product + cy;
                count++;
            }
            out[i * n + j] = count;
        }
#endif
    }
}

void stencil(const double *restrict x, double *restrict to, int64_t n) {
    for (int64_t i = 1; i < n - 1; i++)
        for (int64_t j = 1; j < n - 1; j++) {
            const double *at = x + i * n + j;
            to[i * n + j] = (at[0] + (at[-1] + at[1]) + at[-n] + at[n]) * 0.2;
        }
}

void prefix(const int64_t *restrict x, int64_t *restrict to, int64_t n, int64_t rounds) {
    for (int64_t r = 0; r < rounds; r++) {
        const int64_t *at = x + (r & 7);
#ifdef VECTORS
        vl zero = {0}, last = {0};
        for (int64_t i = 0; i < n; i += D) {
            vl sums = *(vl *)(at + i);
#if D == 8
            sums += __builtin_shuffle(zero, sums, (vl){0, 8, 9, 10, 11, 12, 13, 14});
            sums += __builtin_shuffle(zero, sums, (vl){0, 0, 8, 9, 10, 11, 12, 13});
            sums += __builtin_shuffle(zero, sums, (vl){0, 0, 0, 0, 8, 9, 10, 11});
            sums += last;
            last = __builtin_shuffle(sums, (vl){7, 7, 7, 7, 7, 7, 7, 7});
#elif D == 2
            sums += __builtin_shuffle(zero, sums, (vl){0, 2});
            sums += last;
            last = __builtin_shuffle(sums, (vl){1, 1});
#else
            sums += __builtin_shuffle(zero, sums, (vl){0, 4, 5, 6});
            sums += __builtin_shuffle(zero, sums, (vl){0, 0, 4, 5});
            sums += last;
            last = __builtin_shuffle(sums, (vl){3, 3, 3, 3});
#endif
            *(vl *)(to + i) = sums;
        }
#else
        int64_t sum = 0;
        for (int64_t i = 0; i < n; i++) {
            sum += at[i];
            to[i] = sum;
        }
#endif
    }
}

#define EXCHANGE(a, b)                                                                                                             \
    do {                                                                                                                           \
        int32_t low = r##a < r##b ? r##a : r##b, high = r##a < r##b ? r##b : r##a;                                                 \
        r##a = low, r##b = high;                                                                                                   \
    } while (0)

void network(const int32_t *restrict x, int32_t *restrict to, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < 16; j++) {
            const int32_t *at = x + i * 128 + j;
            int32_t *goal = to + i * 128 + j;
            int32_t r0 = at[0], r1 = at[16], r2 = at[32], r3 = at[48], r4 = at[64], r5 = at[80], r6 = at[96], r7 = at[112];
            EXCHANGE(0, 1); EXCHANGE(2, 3); EXCHANGE(4, 5); EXCHANGE(6, 7); EXCHANGE(0, 2); EXCHANGE(1, 3); EXCHANGE(4, 6);
            EXCHANGE(5, 7); EXCHANGE(1, 2); EXCHANGE(5, 6); EXCHANGE(0, 4); EXCHANGE(1, 5); EXCHANGE(2, 6); EXCHANGE(3, 7);
            EXCHANGE(2, 4); EXCHANGE(3, 5); EXCHANGE(1, 2); EXCHANGE(3, 4); EXCHANGE(5, 6);
            goal[0] = r0, goal[16] = r1, goal[32] = r2, goal[48] = r3, goal[64] = r4, goal[80] = r5, goal[96] = r6, goal[112] = r7;
        }
}

void polynomial(const double *restrict c, const double *restrict x, double *restrict to, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        double at = x[i], value = c[0];
        for (int k = 1; k < 16; k++)
            value = value * at + c[k];
        to[i] = value;
    }
}
