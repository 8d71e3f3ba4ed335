/**
 * Writes tests/fixtures/lme4/*.json: simulated posts, and what lme4 estimates from them, which the
 * learner is held against. Needs R with lme4 (Debian: r-cran-lme4): node bench/golden/make.ts
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { weekOf } from '../../shared/learning/design.ts';
import { type ContentWorld, SIX_DIMENSIONS } from '../../shared/simulation/content-world.ts';
import { habitualPosts } from '../../shared/simulation/learner-study.ts';

/** What a fixture holds; posts are a level of each group in order, then y. */
type Golden = {
  made_by: string;
  groups: string[];
  posts: number[][];
  intercept: number;
  sigma: number;
  sds: Record<string, number>;
  /** By group and level. */
  effects: Record<string, Record<string, number>>;
};

const SETS: { name: string; posts: number; world: ContentWorld }[] = [
  {
    name: 'six-dimensions',
    posts: 1000,
    world: { ...SIX_DIMENSIONS, effectSds: [0.5, 0.4, 0.3, 0.3, 0.3, 0.2], weekSd: 0.2 },
  },
  {
    name: 'few-posts',
    posts: 300,
    world: { ...SIX_DIMENSIONS, sizes: [10, 6, 5], effectSds: [0.4, 0.5, 0.4], weekSd: 0.3 },
  },
  {
    name: 'one-dimension-without-effect',
    posts: 1500,
    world: { ...SIX_DIMENSIONS, sizes: [12, 8, 6, 5], effectSds: [0.3, 0.4, 0, 0.3], weekSd: 0.2 },
  },
];

const HERE = import.meta.dirname;
const TARGET = join(HERE, '..', '..', 'tests', 'fixtures', 'lme4');

const folder = mkdtempSync(join(tmpdir(), 'postloop-golden-'));
try {
  SETS.forEach(({ name, posts, world }, index) => {
    const simulated = habitualPosts(world, posts, 7000 + index).posts;
    const firstWeek = weekOf(simulated[0]?.postedAt ?? new Date(0));
    const groups = [...world.sizes.map((_, dimension) => `d${dimension}`), 'week'];
    const rows = simulated.map(({ choice, postedAt, y }) => [
      ...choice,
      weekOf(postedAt) - firstWeek,
      Number(y.toFixed(4)),
    ]);
    const input = join(folder, 'posts.csv');
    const output = join(folder, 'estimates.csv');
    writeFileSync(input, [[...groups, 'y'].join(), ...rows.map((row) => row.join())].join('\n'));
    execFileSync('Rscript', [join(HERE, 'lme4.R'), input, output], { stdio: 'inherit' });
    const golden = estimates(readFileSync(output, 'utf8'), groups, rows);
    writeFileSync(join(TARGET, `${name}.json`), `${json(golden)}\n`);
    console.log(`${name}: ${posts} posts`);
  });
} finally {
  rmSync(folder, { recursive: true });
}

function estimates(csv: string, groups: string[], posts: number[][]): Golden {
  const golden: Golden = {
    made_by: '',
    groups,
    posts,
    intercept: Number.NaN,
    sigma: Number.NaN,
    sds: {},
    effects: Object.fromEntries(groups.map((group) => [group, {}])),
  };
  for (const line of csv.trim().split('\n').slice(1)) {
    const [kind, group = '', level = '', value] = line.split(',');
    if (kind === 'version') golden.made_by = `lme4 ${group}`;
    if (kind === 'intercept') golden.intercept = Number(value);
    if (kind === 'sigma') golden.sigma = Number(value);
    if (kind === 'sd') golden.sds[group] = Number(value);
    if (kind === 'effect') Object.assign(golden.effects[group] ?? {}, { [level]: Number(value) });
  }
  return golden;
}

/** A post a line, so that a change can be read. */
function json({ posts, ...estimated }: Golden): string {
  const lines = posts.map((post) => JSON.stringify(post)).join(',\n');
  return `${JSON.stringify(estimated).slice(0, -1)},"posts":[\n${lines}\n]}`;
}
