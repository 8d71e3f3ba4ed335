import fc from 'fast-check';
import { CholeskyDecomposition, inverse, Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import {
  cholesky,
  choleskySolve,
  inverseDiagonal,
  inverseOfProduct,
  invertLower,
  submatrix,
} from '../../shared/learning/linear-algebra.ts';

/** B B' + I of a square B: symmetric and positive definite. */
const positiveDefinite = fc.integer({ min: 1, max: 12 }).chain((n) =>
  fc
    .array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: n * n, maxLength: n * n })
    .map((cells) => {
      const factor = Matrix.from1DArray(n, n, cells);
      return { n, matrix: factor.mmul(factor.transpose()).add(Matrix.eye(n)) };
    }),
);

const flat = (matrix: Matrix) => Float64Array.from(matrix.to1DArray());

function expectClose(actual: Float64Array, expected: readonly number[]) {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, index) => {
    expect(Math.abs((actual[index] ?? Number.NaN) - value)).toBeLessThan(
      1e-9 * Math.max(1, Math.abs(value)),
    );
  });
}

// 4 x^2 + …: [[4, 2, 2], [2, 5, 3], [2, 3, 6]] = L L' with L = [[2, 0, 0], [1, 2, 0], [1, 1, 2]].
const worked = Float64Array.from([4, 2, 2, 2, 5, 3, 2, 3, 6]);

describe('cholesky', () => {
  it('gives the factor that was worked out by hand, to the last bit', () => {
    expect([...cholesky(worked, 3)]).toEqual([2, 0, 0, 1, 2, 0, 1, 1, 2]);
  });

  it('agrees with ml-matrix', () => {
    fc.assert(
      fc.property(positiveDefinite, ({ n, matrix }) => {
        const expected = new CholeskyDecomposition(matrix).lowerTriangularMatrix.to1DArray();
        expectClose(cholesky(flat(matrix), n), expected);
      }),
    );
  });

  it('gives the same bits everywhere, also where no factor is exact', () => {
    const hilbert = Float64Array.from({ length: 25 }, (_, cell) => {
      const [row, column] = [Math.floor(cell / 5), cell % 5];
      return 1 / (row + column + 1) + (row === column ? 0.1 : 0);
    });
    const bits = new BigUint64Array(
      inverseOfProduct(invertLower(cholesky(hilbert, 5), 5), 5).buffer,
    );
    expect(bits.reduce((mixed, one) => (mixed * 1099511628211n) ^ one, 0n) % 2n ** 64n).toBe(
      1993276581388264394n,
    );
  });

  it.each([
    ['is singular', [1, 1, 1, 1]],
    ['is indefinite', [1, 2, 2, 1]],
    ['holds what is not a number', [Number.NaN, 0, 0, 1]],
  ])('refuses a matrix that %s', (_, cells) => {
    expect(() => cholesky(Float64Array.from(cells), 2)).toThrow(
      expect.objectContaining({ code: 'matrix_not_positive_definite' }),
    );
  });
});

describe('inverse and solution', () => {
  it('are those that were worked out by hand', () => {
    const lower = cholesky(worked, 3);
    // The inverse is adj / 64.
    const adjugate = [21, -6, -4, -6, 20, -8, -4, -8, 16];
    expectClose(
      inverseOfProduct(invertLower(lower, 3), 3),
      adjugate.map((cell) => cell / 64),
    );
    expectClose(choleskySolve(lower, 3, Float64Array.from([8, 10, 11])), [1, 1, 1]);
  });

  it('agree with ml-matrix, the diagonal alone too', () => {
    fc.assert(
      fc.property(positiveDefinite, ({ n, matrix }) => {
        const lower = cholesky(flat(matrix), n);
        const expected = inverse(matrix);
        expectClose(inverseOfProduct(invertLower(lower, n), n), expected.to1DArray());
        expectClose(inverseDiagonal(invertLower(lower, n), n), expected.diagonal());
        const b = Float64Array.from({ length: n }, (_, row) => row - 1.5);
        const solution = new CholeskyDecomposition(matrix).solve(Matrix.columnVector([...b]));
        expectClose(choleskySolve(lower, n, b), solution.to1DArray());
      }),
    );
  });
});

it('submatrix takes rows and columns in the order that is asked for', () => {
  expect([...submatrix(worked, 3, [2, 0])]).toEqual([6, 2, 2, 4]);
});
