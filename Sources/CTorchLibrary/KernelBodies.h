// The bodies of `Kernels`. Kernels.cpp includes this file once for each set of vector instructions,
// each time in another namespace; hence no include guard and no #include here.

/// Sixteen numbers: one vector of AVX-512, two of AVX2, four of SSE or NEON.
typedef float Vector __attribute__((vector_size(64), aligned(4)));

#define INLINE static inline __attribute__((always_inline))

/// exp x for x ≤ 0 to 2e-7 of its value, flushed to exp(−87) below that; not-a-number stays.
///
/// exp x = 2ⁿ exp r with n = round(x / ln 2); adding 1.5 · 2²³ rounds and leaves n in the low bits.
INLINE float exponential(float x) {
  x = x < -87.0f ? -87.0f : x;
  const float shifted = x * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const uint32_t power = (__builtin_bit_cast(uint32_t, shifted) << 23) + 0x3f800000u;
  return p * __builtin_bit_cast(float, power);
}

static void addBias(float *y, const float *bias, int64_t rows, int64_t columns, bool rectified) {
  for (int64_t row = 0; row < rows; row++, y += columns) {
    if (rectified) {
      for (int64_t k = 0; k < columns; k++) {
        const float sum = y[k] + bias[k];
        y[k] = sum <= 0 ? 0 : sum;  // not-a-number stays what it is
      }
    } else {
      for (int64_t k = 0; k < columns; k++) y[k] += bias[k];
    }
  }
}

static void sumRows(const float *dy, float *__restrict sums, int64_t rows, int64_t columns) {
  std::memset(sums, 0, columns * sizeof *sums);
  for (int64_t row = 0; row < rows; row++, dy += columns) {
    for (int64_t k = 0; k < columns; k++) sums[k] += dy[k];
  }
}

static void rectifyGradient(
    float *__restrict dy, const float *__restrict y, float *__restrict sums, int64_t rows,
    int64_t columns) {
  std::memset(sums, 0, columns * sizeof *sums);
  for (int64_t row = 0; row < rows; row++, dy += columns, y += columns) {
    for (int64_t k = 0; k < columns; k++) {
      const float value = y[k] <= 0 ? 0 : dy[k];
      dy[k] = value;
      sums[k] += value;
    }
  }
}

/// Φ is Abramowitz and Stegun's 7.1.26, to 1e-7, whose exponential the density φ needs too.
static void gelu(
    float *__restrict x, const float *__restrict bias, float *__restrict y, int64_t rows,
    int64_t columns) {
  for (int64_t row = 0; row < rows; row++, x += columns, y += columns) {
    for (int64_t k = 0; k < columns; k++) {
      const float u = x[k] + bias[k];
      const float e = exponential(-0.5f * u * u);
      const float t = 1.0f / (1.0f + 0.3275911f * 0.707106781f * __builtin_fabsf(u));
      float p = 1.061405429f;
      p = p * t - 1.453152027f;
      p = p * t + 1.421413741f;
      p = p * t - 0.284496736f;
      p = p * t + 0.254829592f;
      const float tail = 0.5f * p * t * e;
      const float phi = u < 0 ? tail : 1.0f - tail;
      y[k] = u * phi;
      x[k] = phi + u * 0.398942280f * e;
    }
  }
}

/// (1 + tanh v) / 2 is 1 / (1 + exp(−2v)), whose slope is exp(−2v) / (1 + exp(−2v))².
static void geluTanh(
    float *__restrict x, const float *__restrict bias, float *__restrict y, int64_t rows,
    int64_t columns) {
  for (int64_t row = 0; row < rows; row++, x += columns, y += columns) {
    for (int64_t k = 0; k < columns; k++) {
      const float u = x[k] + bias[k];
      const float square = u * u;
      const float w = 1.59576912f * u * (1.0f + 0.044715f * square);  // 2v
      const float size = -__builtin_fabsf(w);
      const float e = size < -86.0f ? 0.0f : exponential(size);
      const float r = 1.0f / (1.0f + e);
      const float share = u < 0 ? e * r : r;
      y[k] = u * share;
      x[k] = share + u * (e * r * r) * (1.59576912f * (1.0f + 0.134145f * square));
    }
  }
}

static void scaleGradient(
    float *__restrict dy, const float *__restrict slope, float *__restrict sums, int64_t rows,
    int64_t columns) {
  std::memset(sums, 0, columns * sizeof *sums);
  for (int64_t row = 0; row < rows; row++, dy += columns, slope += columns) {
    for (int64_t k = 0; k < columns; k++) {
      const float value = dy[k] * slope[k];
      dy[k] = value;
      sums[k] += value;
    }
  }
}

static void addResidual(
    float *__restrict x, const float *__restrict bias, const float *__restrict residual,
    int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; row++, x += columns, residual += columns) {
    for (int64_t k = 0; k < columns; k++) x[k] += bias[k] + residual[k];
  }
}

static void normalize(
    const float *__restrict x, const float *__restrict gain, const float *__restrict shift,
    float *__restrict y, float *__restrict moments, int64_t rows, int64_t columns, float epsilon) {
#pragma clang fp reassociate(on)
  for (int64_t row = 0; row < rows; row++, x += columns, y += columns) {
    float sum = 0, squares = 0;
    for (int64_t k = 0; k < columns; k++) sum += x[k];
    const float mean = sum / static_cast<float>(columns);
    for (int64_t k = 0; k < columns; k++) squares += (x[k] - mean) * (x[k] - mean);
    const float scale = 1.0f / __builtin_sqrtf(squares / static_cast<float>(columns) + epsilon);
    for (int64_t k = 0; k < columns; k++) y[k] = (x[k] - mean) * scale * gain[k] + shift[k];
    moments[2 * row] = mean;
    moments[2 * row + 1] = scale;
  }
}

static void normalizeGradient(
    const float *__restrict dy, const float *__restrict x, const float *moments,
    const float *__restrict gain, const float *__restrict residual, float *__restrict dx,
    float *__restrict gains, float *__restrict shifts, int64_t rows, int64_t columns) {
#pragma clang fp reassociate(on)
  std::memset(gains, 0, columns * sizeof *gains);
  std::memset(shifts, 0, columns * sizeof *shifts);
  for (int64_t row = 0; row < rows; row++) {
    const float mean = moments[2 * row], scale = moments[2 * row + 1];
    float sum = 0, product = 0;
    for (int64_t k = 0; k < columns; k++) {
      const float z = (x[k] - mean) * scale;
      gains[k] += dy[k] * z;
      shifts[k] += dy[k];
      sum += dy[k] * gain[k];
      product += dy[k] * gain[k] * z;
    }
    const float first = sum / static_cast<float>(columns);
    const float second = product / static_cast<float>(columns);
    for (int64_t k = 0; k < columns; k++) {
      const float z = (x[k] - mean) * scale;
      dx[k] = scale * (dy[k] * gain[k] - first - z * second);
    }
    if (residual) {
      for (int64_t k = 0; k < columns; k++) dx[k] += residual[k];
      residual += columns;
    }
    dy += columns, x += columns, dx += columns;
  }
}

// MARK: - Small matrix products

/// A matrix whose element (r, c) is at r · rowStride + c · columnStride.
struct Matrix {
  const float *start;
  int64_t rowStride, columnStride;
};

/// `count` rows and at most 16 columns of a product, held in registers.
template <int count, bool whole>
INLINE void tile(
    Matrix a, const float *b, int64_t bStride, float *c, int64_t cStride, int64_t depth,
    float scale, int64_t columns) {
  Vector sums[count] = {};
  for (int64_t k = 0; k < depth; k++) {
    Vector numbers = {};
    if (whole) {
      numbers = *reinterpret_cast<const Vector *>(b + k * bStride);
    } else {
      std::memcpy(&numbers, b + k * bStride, columns * sizeof(float));
    }
    for (int r = 0; r < count; r++) {
      sums[r] += a.start[r * a.rowStride + k * a.columnStride] * numbers;
    }
  }
  for (int r = 0; r < count; r++) {
    sums[r] *= scale;
    if (whole) {
      *reinterpret_cast<Vector *>(c + r * cStride) = sums[r];
    } else {
      std::memcpy(c + r * cStride, &sums[r], columns * sizeof(float));
    }
  }
}

template <int count>
INLINE void tiles(
    Matrix a, const float *b, int64_t bStride, float *c, int64_t cStride, int64_t columns,
    int64_t depth, float scale) {
  int64_t k = 0;
  for (; k + 16 <= columns; k += 16) {
    tile<count, true>(a, b + k, bStride, c + k, cStride, depth, scale, 16);
  }
  if (k < columns) {
    tile<count, false>(a, b + k, bStride, c + k, cStride, depth, scale, columns - k);
  }
}

/// c = scale · a b, of `[rows, depth]` and `[depth, columns]`.
///
/// With `lower`, a's element (r, k) counts as 0 for k > r and is not read.
INLINE void multiply(
    Matrix a, const float *b, int64_t bStride, float *c, int64_t cStride, int64_t rows,
    int64_t columns, int64_t depth, float scale, bool lower) {
  constexpr int64_t block = 6;
  for (int64_t row = 0; row < rows; row += block) {
    const int64_t count = rows - row < block ? rows - row : block;
    const int64_t reach = lower && row + count < depth ? row + count : depth;
    const Matrix part = {a.start + row * a.rowStride, a.rowStride, a.columnStride};
    float *to = c + row * cStride;
    switch (count) {
    case 1: tiles<1>(part, b, bStride, to, cStride, columns, reach, scale); break;
    case 2: tiles<2>(part, b, bStride, to, cStride, columns, reach, scale); break;
    case 3: tiles<3>(part, b, bStride, to, cStride, columns, reach, scale); break;
    case 4: tiles<4>(part, b, bStride, to, cStride, columns, reach, scale); break;
    case 5: tiles<5>(part, b, bStride, to, cStride, columns, reach, scale); break;
    default: tiles<6>(part, b, bStride, to, cStride, columns, reach, scale);
    }
  }
}

/// The transpose of `[rows, columns]` with a stride, as `[columns, width]` filled up with zeros.
INLINE void transpose(
    const float *from, int64_t stride, float *to, int64_t rows, int64_t columns, int64_t width) {
  for (int64_t k = 0; k < columns; k++, to += width) {
    for (int64_t row = 0; row < rows; row++) to[row] = from[row * stride + k];
    for (int64_t row = rows; row < width; row++) to[row] = 0;
  }
}

// MARK: - Attention

static void attend(const Attention &extents, const float *qkv, float *probabilities, float *y) {
#pragma clang fp reassociate(on)
  const auto [batch, tokens, heads, width, causal] = extents;
  const int64_t row = extents.row(), all = heads * width;
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(width));
  std::vector<float> keys(width * row);  // transposed
  for (int64_t b = 0; b < batch; b++, qkv += tokens * 3 * all, y += tokens * all) {
    for (int64_t head = 0; head < heads; head++, probabilities += tokens * row) {
      const float *q = qkv + head * width, *k = q + all, *v = k + all;
      transpose(k, 3 * all, keys.data(), tokens, width, row);
      multiply(
          {q, 3 * all, 1}, keys.data(), row, probabilities, row, tokens, row, width, scale, false);
      for (int64_t t = 0; t < tokens; t++) {
        float *p = probabilities + t * row;
        const int64_t seen = causal ? t + 1 : tokens;
        float largest = p[0];
        for (int64_t s = 1; s < seen; s++) largest = p[s] > largest ? p[s] : largest;
        for (int64_t s = 0; s < seen; s++) p[s] = exponential(p[s] - largest);
        float sum = 0;
        for (int64_t s = 0; s < seen; s++) sum += p[s];
        const float share = 1.0f / sum;
        for (int64_t s = 0; s < seen; s++) p[s] *= share;
        for (int64_t s = seen; s < row; s++) p[s] = 0;
      }
      multiply(
          {probabilities, row, 1}, v, 3 * all, y + head * width, all, tokens, width, tokens, 1,
          causal);
    }
  }
}

static void attendGradient(
    const Attention &extents, const float *qkv, const float *probabilities, const float *dy,
    float *dqkv) {
#pragma clang fp reassociate(on)
  const auto [batch, tokens, heads, width, causal] = extents;
  const int64_t row = extents.row(), all = heads * width;
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(width));
  std::vector<float> values(width * row);   // transposed
  std::vector<float> scores(tokens * row);  // gradient with respect to q kᵀ / √width
  for (int64_t b = 0; b < batch; b++) {
    for (int64_t head = 0; head < heads; head++, probabilities += tokens * row) {
      const float *q = qkv + head * width, *k = q + all, *v = k + all;
      const float *dOut = dy + head * width;
      float *dq = dqkv + head * width, *dk = dq + all, *dv = dk + all;
      transpose(v, 3 * all, values.data(), tokens, width, row);
      multiply(
          {dOut, all, 1}, values.data(), row, scores.data(), row, tokens, row, width, 1, false);
      for (int64_t t = 0; t < tokens; t++) {
        const float *p = probabilities + t * row;
        float *s = scores.data() + t * row;
        float sum = 0;
        for (int64_t k = 0; k < row; k++) sum += p[k] * s[k];
        for (int64_t k = 0; k < row; k++) s[k] = p[k] * (s[k] - sum);
      }
      multiply(
          {scores.data(), row, 1}, k, 3 * all, dq, 3 * all, tokens, width, tokens, scale, causal);
      multiply(
          {scores.data(), 1, row}, q, 3 * all, dk, 3 * all, tokens, width, tokens, scale, false);
      multiply({probabilities, 1, row}, dOut, all, dv, 3 * all, tokens, width, tokens, 1, false);
    }
    qkv += tokens * 3 * all, dqkv += tokens * 3 * all, dy += tokens * all;
  }
}

static const Kernels table = {
    addBias,     sumRows,   rectifyGradient,   gelu,   geluTanh,       scaleGradient,
    addResidual, normalize, normalizeGradient, attend, attendGradient,
};

#undef INLINE
