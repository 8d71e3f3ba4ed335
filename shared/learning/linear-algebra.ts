/**
 * Dense linear algebra for symmetric positive definite matrices: square, row by row in a
 * Float64Array, n rows. Only +, -, *, / and square roots in a fixed order, so that every platform
 * gets the same bits; eigenvectors and singular vectors would not be.
 */
import { PostloopError } from '../contracts/error.ts';

/**
 * The lower triangular L with L L' = `matrix`; its upper triangle is 0. Reads the lower triangle.
 *
 * @throws PostloopError 500 `matrix_not_positive_definite`
 */
export function cholesky(matrix: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let row = 0; row < n; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      const rest = at(matrix, row * n + column) - dot(lower, row * n, lower, column * n, column);
      if (column < row) {
        lower[row * n + column] = rest / at(lower, column * n + column);
      } else if (rest > 0) {
        lower[row * n + row] = Math.sqrt(rest);
      } else {
        throw new PostloopError(
          500,
          'matrix_not_positive_definite',
          'A matrix that must be positive definite is not: its sums are damaged or not finite.',
          { row, n },
        );
      }
    }
  }
  return lower;
}

/** The inverse of a lower triangular matrix, transposed: its row j is the inverse's column j. */
export function invertLower(lower: Float64Array, n: number): Float64Array {
  const columns = new Float64Array(n * n);
  for (let column = 0; column < n; column += 1) {
    columns[column * n + column] = 1 / at(lower, column * n + column);
    for (let row = column + 1; row < n; row += 1) {
      const sum = dot(lower, row * n + column, columns, column * n + column, row - column);
      columns[column * n + row] = -sum / at(lower, row * n + row);
    }
  }
  return columns;
}

/** The inverse of L L', given what `invertLower` returns of L. */
export function inverseOfProduct(columns: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let row = 0; row < n; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      const value = dot(columns, row * n + row, columns, column * n + row, n - row);
      inverse[row * n + column] = value;
      inverse[column * n + row] = value;
    }
  }
  return inverse;
}

/** The diagonal of that inverse alone. */
export function inverseDiagonal(columns: Float64Array, n: number): Float64Array {
  const diagonal = new Float64Array(n);
  for (let row = 0; row < n; row += 1) {
    diagonal[row] = dot(columns, row * n + row, columns, row * n + row, n - row);
  }
  return diagonal;
}

/** x with L L' x = b. */
export function choleskySolve(lower: Float64Array, n: number, b: Float64Array): Float64Array {
  const x = new Float64Array(n);
  for (let row = 0; row < n; row += 1) {
    x[row] = (at(b, row) - dot(lower, row * n, x, 0, row)) / at(lower, row * n + row);
  }
  for (let row = n - 1; row >= 0; row -= 1) {
    let rest = at(x, row);
    for (let below = row + 1; below < n; below += 1) {
      rest -= at(lower, below * n + row) * at(x, below);
    }
    x[row] = rest / at(lower, row * n + row);
  }
  return x;
}

/** The rows and columns `indices` of a matrix of n rows, in their order. */
export function submatrix(
  matrix: Float64Array,
  n: number,
  indices: readonly number[],
): Float64Array {
  const size = indices.length;
  const part = new Float64Array(size * size);
  indices.forEach((from, row) => {
    indices.forEach((to, column) => {
      part[row * size + column] = at(matrix, from * n + to);
    });
  });
  return part;
}

/**
 * Sum of a[aFrom + i] * b[bFrom + i] for i from 0 to length - 1, as four sums of every fourth
 * product, added at the end: twice as fast as one sum, and as fixed an order.
 */
export function dot(
  a: Float64Array,
  aFrom: number,
  b: Float64Array,
  bFrom: number,
  length: number,
): number {
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    sum0 += (a[aFrom + i] as number) * (b[bFrom + i] as number);
    sum1 += (a[aFrom + i + 1] as number) * (b[bFrom + i + 1] as number);
    sum2 += (a[aFrom + i + 2] as number) * (b[bFrom + i + 2] as number);
    sum3 += (a[aFrom + i + 3] as number) * (b[bFrom + i + 3] as number);
  }
  for (; i < length; i += 1) sum0 += (a[aFrom + i] as number) * (b[bFrom + i] as number);
  return sum0 + sum1 + (sum2 + sum3);
}

/** The number at an index that is known to exist. */
export function at(numbers: Float64Array, index: number): number {
  return numbers[index] as number;
}
