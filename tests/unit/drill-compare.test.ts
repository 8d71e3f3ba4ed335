import { expect, it } from 'vitest';
import { compareRows } from '../../local/drill/compare.ts';

const rows = (...list: [string, Record<string, unknown>][]) => new Map(list);

it('says nothing of rows that are equal to the last bit', () => {
  const same = () => rows(['a', { x: 0.1 + 0.2, y: null }]);
  expect(compareRows('t', same(), same())).toEqual({
    table: 't',
    rows: 1,
    onlyWithFaults: 0,
    onlyWithout: 0,
    different: 0,
    example: null,
  });
});

it('tells a number that differs in its last bit, with both values', () => {
  const result = compareRows('t', rows(['a', { x: 0.1 + 0.2 }]), rows(['a', { x: 0.3 }]));
  expect(result.different).toBe(1);
  expect(result.example).toBe('a: x 0.30000000000000004, not 0.3');
});

it('counts what is only here and what is only there', () => {
  const result = compareRows(
    't',
    rows(['a', {}], ['b', {}]),
    rows(['b', {}], ['c', {}], ['d', {}]),
  );
  expect(result).toMatchObject({ onlyWithFaults: 1, onlyWithout: 2, different: 0 });
  expect(result.example).toBe('a only with faults');
});
